internal import ArgumentParser
internal import CurlPool
internal import Foundation
internal import HTTPPool
internal import Load
internal import PoolMetrics
internal import PoolPeer

/// What one busy request costs beside many that stand still: on open connections, or in the queue.
struct QuietCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quiet",
        abstract: "Measure one busy request beside many that stand still."
    )

    @Option(help: "What the busy request GETs.") var url: String
    @Option(help: "Bytes that every body must have.") var bytes: Int
    @Option(help: "Requests that are measured at each step.") var requests = 5000

    func run() async throws {
        ProcessUsage.raiseDescriptorLimit()
        let listener = try SilentListener()
        var limits = PoolLimits()
        limits.maxConnections = 1100
        let streams = try await steps([0, 100, 1000], limits: limits, waiting: \.inFlight, at: listener)
        limits.maxConnectionsPerOrigin = 1
        let queued = try await steps([0, 1000, 50000], limits: limits, waiting: \.queued, at: listener)
        let report = QuietReport(streams: streams, queued: queued)
        print(String(decoding: try JSONEncoder().encode(report), as: UTF8.self))
    }

    private func steps(
        _ counts: [Int],
        limits: PoolLimits,
        waiting: any KeyPath<RequestLevels, Int> & Sendable,
        at listener: SilentListener
    ) async throws -> [QuietReport.Step] {
        var steps: [QuietReport.Step] = []
        for count in counts {
            // Where they are to queue, one more takes the only connection.
            let held = waiting == \.queued && count > 0 ? count + 1 : count
            let report = try await measure(
                beside: held,
                limits: limits,
                until: { $0[keyPath: waiting] >= count },
                listener
            )
            steps.append(QuietReport.Step(standing: count, cpuMicrosecondsPerRequest: report.cpuMicrosecondsPerRequest))
        }
        return steps
    }

    private func measure(
        beside held: Int,
        limits: PoolLimits,
        until standing: @Sendable (RequestLevels) -> Bool,
        _ listener: SilentListener
    ) async throws -> LoadReport {
        var configuration = PoolConfiguration()
        configuration.limits = limits
        configuration.timeouts.acquire = nil
        configuration.timeouts.read = nil
        let client = try InstrumentedClient(CurlPool(configuration))
        let silent = try PoolRequest("http://127.0.0.1:\(listener.port)/")
        let plan = LoadPlan(concurrency: 1, requests: requests, warmup: requests / 10, bytes: bytes)
        let report = try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<held {
                // They end with the pool, in an error.
                group.addTask { _ = try? await client.execute(silent.http) }
            }
            let deadline = ContinuousClock.now + .seconds(60)
            while !standing(client.reading().levels.requests) {
                guard ContinuousClock.now < deadline else { throw NeverStood(held: held) }
                try await Task.sleep(for: .milliseconds(10))
            }
            let report = try await plan.measure(PoolPeer(url: url, client: client), named: "quiet")
            guard standing(client.reading().levels.requests) else { throw NeverStood(held: held) }
            await client.shutdown(.immediate)
            return report
        }
        return report
    }
}

/// The requests that should have stood still did not.
struct NeverStood: Error, CustomStringConvertible {
    let held: Int

    var description: String { "\(held) requests did not all stand still" }
}
