internal import ArgumentParser
internal import CurlPool
internal import Foundation
internal import HTTPPool
internal import Load
internal import PoolMetrics
internal import PoolPeer
private import Synchronization

/// What one busy request costs beside many that stand still: on open connections, or in the queue.
struct QuietCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quiet",
        abstract: "Measure one busy request beside many that stand still."
    )

    @Option(help: "What the busy request GETs.") var url: String
    @Option(help: "Bytes that every body must have.") var bytes: Int
    @Option(help: "Requests that are measured at each step.") var requests = 5000

    /// How requests stand still.
    private enum Standing {
        /// On a connection of their own, without an answer.
        case unanswered
        /// On a connection of their own, in the middle of a body that is being read.
        case streaming
        /// In the queue of another origin that is at its own limit.
        case queued
    }

    func run() async throws {
        ProcessUsage.raiseDescriptorLimit()
        let report = QuietReport(
            streams: try await steps([0, 100, 1000], .unanswered),
            bodies: try await steps([0, 100, 1000], .streaming),
            queued: try await steps([0, 1000, 50000], .queued)
        )
        print(String(decoding: try JSONEncoder().encode(report), as: UTF8.self))
    }

    private func steps(_ counts: [Int], _ standing: Standing) async throws -> [QuietReport.Step] {
        var steps: [QuietReport.Step] = []
        for count in counts {
            let report = try await measure(beside: count, standing)
            steps.append(QuietReport.Step(standing: count, cpuMicrosecondsPerRequest: report.cpuMicrosecondsPerRequest))
        }
        return steps
    }

    private func measure(beside count: Int, _ standing: Standing) async throws -> LoadReport {
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = 1100
        if standing == .queued { configuration.limits.maxConnectionsPerOrigin = 1 }
        configuration.timeouts.acquire = nil
        configuration.timeouts.read = nil
        let client = try InstrumentedClient(CurlClient(configuration))
        let listener = try SilentListener()
        let silent = try PoolRequest("http://127.0.0.1:\(listener.port)/")
        let begun = Begun()
        if standing == .streaming { Thread.detachNewThread { listener.beginAnswers(count) } }
        let stands: @Sendable () -> Bool = {
            let levels = client.reading().levels.requests
            return switch standing {
            case .unanswered: levels.inFlight >= count
            case .streaming: levels.inFlight >= count && begun.bodies.load(ordering: .relaxed) == count
            case .queued: levels.queued >= count
            }
        }
        let plan = LoadPlan(concurrency: 1, requests: requests, warmup: requests / 10, bytes: bytes)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            // Where they are to queue, one more takes the only connection.
            for _ in 0..<(standing == .queued && count > 0 ? count + 1 : count) {
                // They end with the pool, in an error.
                group.addTask {
                    guard let response = try? await client.execute(silent.http) else { return }
                    var chunks = response.body.makeAsyncIterator()
                    while (try? await chunks.next()) != nil { begun.bodies.add(1, ordering: .relaxed) }
                }
            }
            let deadline = ContinuousClock.now + .seconds(60)
            while !stands() {
                guard ContinuousClock.now < deadline else { throw NeverStood(held: count) }
                // Only the pause between two looks.
                try await Task.sleep(for: .milliseconds(10))
            }
            let report = try await plan.measure(PoolPeer(url: url, client: client), named: "quiet")
            guard stands() else { throw NeverStood(held: count) }
            await client.shutdown(.immediate)
            return report
        }
    }
}

/// Bodies of which a first chunk was read.
private final class Begun: Sendable {
    let bodies = Atomic(0)
}

/// The requests that should have stood still did not.
struct NeverStood: Error, CustomStringConvertible {
    let held: Int

    var description: String { "\(held) requests did not all stand still" }
}
