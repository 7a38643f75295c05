import ArgumentParser
import HTTPPool

/// The command-line tool: shows what a shared pool does, and which configuration is in force.
@main
struct Poolscope: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "poolscope",
        abstract: "Watch a shared, pooled HTTP client at work.",
        version: PoolScopeVersion.current,
        subcommands: [RunCommand.self, ConfigCommand.self]
    )
}
