import CurlPool
import FaultServer
import Foundation
import HTTPPool
import Logging
import LoopbackUpstream
import PoolEndpoint
import PoolMetrics
import TestSupport
import Testing

/// What needs a process to itself, because it counts the process's descriptors and takes every core it can get.
@Suite("Fault storm", .serialized)
struct FaultStormTests {
    private static let seconds =
        ProcessInfo.processInfo.environment["FAULT_STORM_SECONDS"].flatMap(Double.init) ?? 20

    @Test("In whatever state a request is cancelled, no descriptor is left", arguments: Moment.allCases)
    func descriptors(moment: Moment) async throws {
        let server = try moment.server()
        try await withClient({ $0.limits.maxConnections = 1 }) { client in
            let holder = Task { if moment == .queued { _ = try await Question(.hang, to: server).ask(client) } }
            if moment == .queued { try await client.becomes(OriginLevels(active: 1)) }
            // The first one may open what stays open for the life of the process.
            #expect(try await moment.cancelOne(to: server, in: client))
            // A peer that reads nothing does not hear of the end of its connection.
            func ours() throws -> Int { try Descriptors.count() - server.openConnections }
            try await client.becomes(moment == .queued ? OriginLevels(active: 1) : OriginLevels())
            let before = try ours()
            for _ in 0..<50 { #expect(try await moment.cancelOne(to: server, in: client)) }
            // The server may have counted a connection that was closing, so there may be fewer; a leak would be fifty more.
            try await eventually("no more than \(before) descriptors; there are \(try ours())") { try ours() <= before }
            holder.cancel()
            _ = await holder.result
        }
        try await server.stop()
    }

    @Test("Through every fault alone and all together no answer is wrong, every scrape adds up, and nothing is left")
    func storm() async throws {
        let registry = PoolRegistry()
        let logger = Logger(label: "storm", factory: { _ in SwiftLogNoOpLogHandler() })
        let settings = EndpointConfiguration(host: "127.0.0.1", port: 0)
        let endpoint = MetricsEndpoint(settings, registry: registry, logger: logger)
        let address = try await endpoint.start()
        let storm = try await FaultStorm(registry: registry)
        let pool = try CurlClient()
        var scraper = Scraper(of: "\(address)", through: pool, account: storm.account)
        // What is opened once and stays is open after this.
        #expect(try await scraper.scrape() == nil)
        await storm.blow(storm.mix, for: .milliseconds(200), seed: 0)
        try await eventually("the first requests are over") { storm.client.reading().levels == OriginLevels() }
        let others = try await storm.settledOtherDescriptors()

        let scrapes = try await withThrowingTaskGroup(of: Int.self) { group in
            group.addTask { [scraper] in
                var scraper = scraper
                while !storm.account.isOver {
                    if let broken = try await scraper.scrape() {
                        Issue.record("\(broken)")
                        break
                    }
                }
                return scraper.scrapes
            }
            group.addTask {
                defer { storm.account.end() }
                try await Self.seasons(of: storm, otherDescriptors: others)
                return 0
            }
            return try await group.reduce(0, +)
        }
        print("fault storm: \(scrapes) scrapes, \(storm.account.summary)")

        #expect(storm.account.wrongAnswers == 0)
        // A storm in which everything fails, or nothing does, shows nothing.
        for outcome in ["answered", "cancelled", "connectFailed", "connectionLost", "readTimeout", "tlsFailed"] {
            #expect(storm.account.count(of: outcome) > 0, "\(outcome): \(storm.account.summary)")
        }
        #expect(storm.account.count(of: "answered") > storm.account.finished / 10, "\(storm.account.summary)")
        #expect(storm.faultsOfArrival() == [])
        try await storm.end()
        #expect(storm.client.reading().levels == OriginLevels())
        await pool.shutdown()
        await endpoint.stop()
    }

    /// Half of the time each fault by itself, half of it all together, with a rest after each.
    private static func seasons(of storm: FaultStorm, otherDescriptors others: Int) async throws {
        let targets = storm.targets
        var kept = 0
        let end = ContinuousClock.now + .seconds(seconds / 2)
        for (number, target) in targets.enumerated() {
            // A half of its share, because it takes a while until the last request has ended.
            let share = (end - ContinuousClock.now) / (targets.count - number)
            await storm.blow(Mix([(1, target)]), for: share / 2, seed: UInt64(1 + number))
            kept += try await storm.rest(after: target.name, otherDescriptors: others)
        }
        let rounds = max(2, Int(seconds / 20))
        for round in 0..<rounds {
            let duration = Duration.seconds(seconds / 2 / Double(rounds))
            async let restarts: Void = storm.restart(for: duration)
            await storm.blow(storm.mix, for: duration, seed: UInt64(1_000 + round))
            try await restarts
            kept += try await storm.rest(after: "all, round \(round)", otherDescriptors: others)
        }
        // Else the kernel had nothing to count.
        #expect(kept > 0)
    }
}
