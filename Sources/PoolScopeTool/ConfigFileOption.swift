import ArgumentParser

/// The option for a settings file.
struct ConfigFileOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A JSON file with settings. Environment variables take precedence.",
            discussion: """
                The keys are httpClient.maxConnections and so on. 'poolscope run' reloads the file when it changes, and \
                immediately on SIGHUP.
                """,
            valueName: "file"
        )
    )
    var config: String?
}
