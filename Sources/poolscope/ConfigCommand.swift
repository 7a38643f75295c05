import ArgumentParser

/// `poolscope config`.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Print the configuration in force: setting, value, source, variable.",
        discussion: "Where a variable is wrong, every problem goes to standard error and the exit code is 1."
    )

    func run() throws { print(Columns.aligned(try Settings().rows)) }
}
