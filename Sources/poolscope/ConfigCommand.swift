import ArgumentParser

/// `poolscope config`.
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Print the configuration in force: setting, value, source, variable.",
        discussion: "Where a variable is wrong, every problem goes to standard error and the exit code is 1."
    )

    @OptionGroup var file: ConfigFileOption

    func run() async throws { print(Columns.aligned(try await Settings.read(file: file.config).rows)) }
}
