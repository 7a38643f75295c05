import ArgumentParser

/// `poolscope config`.
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Print the configuration in force: setting, value, source, variable.",
        discussion: """
            Where a variable is wrong, every problem goes to standard error and the exit code is 1. A limit of \
            connections for which the process has not the descriptors is a warning there.
            """
    )

    @OptionGroup var file: ConfigFileOption

    func run() async throws {
        let settings = try await Settings.read(file: file.config)
        settings.warn(to: Console())
        print(Columns.aligned(settings.rows))
    }
}
