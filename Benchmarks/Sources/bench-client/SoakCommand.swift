internal import ArgumentParser
internal import CurlPool
internal import Foundation
internal import HTTPPool
internal import Load
internal import PoolEndpoint
internal import PoolMetrics

/// Runs mixed load for long, and fails where memory or descriptors grow meanwhile.
struct SoakCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "soak",
        abstract: "Check that nothing grows under load."
    )

    @Option(help: "Seconds of load.") var seconds = 3600
    @Option(help: "Requests started in each second.") var rate = 300
    @Option(help: "An authority that answers; several times for several.") var answering: [String]
    @Option(help: "The authority that never answers.") var silent: String
    @Option(help: "The authority where nobody listens.") var refusing: String

    private static let samples = 60
    private static let scrapesPerSecond = 1

    func run() async throws {
        ProcessUsage.raiseDescriptorLimit()
        var configuration = PoolConfiguration()
        // Fewer than there are origins, and at times fewer than the load wants: it queues and evicts.
        configuration.limits.maxConnections = 5
        configuration.limits.keepaliveExpiry = .seconds(1)
        let client = try InstrumentedClient(CurlClient(configuration), name: "soak")
        let load = SoakLoad(
            answering: answering,
            silent: silent,
            refusing: refusing,
            perSecond: rate,
            client: client
        )
        let endpoint = MetricsEndpoint.silent()
        let port = try await endpoint.start().port
        // What is made once is made now: threads, tables, the first connection to each origin.
        _ = try await Scraper.beside({ try await load.run(for: .seconds(1)) }, port: port, perSecond: 10)
        let rest = try await SoakSample.atRest(load)

        Self.say(SoakSample.header)
        let (samples, scraped) = try await Scraper.beside(
            { try await sampled(load) },
            port: port,
            perSecond: Self.scrapesPerSecond
        )
        let end = try await SoakSample.atRest(load, as: rest)
        print("\(scraped.scrapes) scrapes meanwhile")
        print("at rest before and after:\n\(rest)\n\(end)")
        let verdict = SoakVerdict(samples: samples, rest: rest, end: end, reading: client.reading(), tally: load.tally)
        print(verdict)
        await endpoint.stop()
        await client.shutdown()
        if !verdict.complaints.isEmpty { throw ExitCode.failure }
    }

    private func sampled(_ load: SoakLoad) async throws -> [SoakSample] {
        let start = ContinuousClock.now
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await load.run(for: .seconds(seconds)) }
            var samples: [SoakSample] = []
            for number in 1...Self.samples {
                // The pace of the samples.
                try await Task.sleep(until: start + .seconds(seconds) * number / Self.samples)
                let sample = SoakSample(load, at: ContinuousClock.now - start)
                Self.say(sample)
                samples.append(sample)
            }
            try await group.waitForAll()
            return samples
        }
    }

    /// Prints at once, also into a file or a pipe.
    private static func say(_ line: some CustomStringConvertible) {
        print(line)
        fflush(nil)
    }
}
