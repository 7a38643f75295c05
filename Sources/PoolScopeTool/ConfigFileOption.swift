import ArgumentParser

/// The option that names a file with settings.
struct ConfigFileOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A JSON file with settings that no variable of the environment makes.",
            discussion: """
                Its keys are httpClient.maxConnections and so on. 'poolscope run' reads it again when it changes, and at \
                once on SIGHUP.
                """,
            valueName: "file"
        )
    )
    var config: String?
}
