internal import ArgumentParser

/// The Swift clients of the benchmark, each in a process of its own.
@main
struct BenchClient: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-client",
        abstract: "Measures a Swift HTTP client, and prints one line of JSON.",
        subcommands: [
            LoadCommand.self, QuietCommand.self, ScrapeCommand.self, ScrapedCommand.self, MemoryCommand.self,
            EndpointCommand.self, SoakCommand.self,
        ]
    )
}
