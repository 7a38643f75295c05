import CurlPool
import Foundation
import Glibc
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// A thread that comes late: what has arrived by then is read before time is let pass (signal(7): SIGSTOP).
@Suite("A late thread")
struct LateThreadTests {
    /// Blocks the pool's own thread while responses arrive, for longer than the read timeout.
    @Test("Responses that arrived in time are no timeouts, however many", arguments: [20, 600])
    func blockedExecutor(count: Int) async throws {
        let gate = Gate()
        let arrived = Counter()
        let answered = Counter()
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readHeadOnly() != nil {
                arrived.add(1)
                try gate.wait()
                connection.answer("in time")
                answered.add(1)
            }
        }
        try await withMeasuredPool {
            $0.limits.maxConnections = count
            $0.timeouts.read = .seconds(1)
        } _: { client in
            let executor = try #require(client.pool.executor)
            try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<count { group.addTask { try await client.fetch(.to(peer.authority)).text } }
                try await eventually("all have arrived") { arrived.value == count }
                let blocker = Task(executorPreference: executor) {
                    gate.open()
                    // Blocks the pool's thread, which is what this case is about, until the timeout is over.
                    let end = Date().addingTimeInterval(1.5)
                    try waitOnThread("all are answered") { answered.value == count && Date() >= end }
                }
                try await blocker.value
                for try await text in group { #expect(text == "in time") }
            }
            let origin = try client.onlyOrigin
            #expect(origin.connectionsClosed[.requestTimeout] == 0)
            #expect(origin.leases.total == UInt64(count))
        }
    }

    @Test("Tasks that keep the pool's thread busy with short turns are no stall")
    func shortTurns() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readHeadOnly() != nil { connection.answer("") }
        }
        try await withMeasuredPool { client in
            _ = try await client.fetch(.to(peer.authority))
            let executor = try #require(client.pool.executor)
            let turns = Counter()
            let busy = Task(executorPreference: executor) {
                while !Task.isCancelled {
                    turns.add(1)
                    usleep(1_000)
                    await Task.yield()
                }
            }
            defer { busy.cancel() }
            try await eventually("it was busy for a second") { turns.value > 800 }
            let stalls = (0..<50).compactMap { _ in
                usleep(1_000)
                return client.reading().driverStallSeconds
            }
            busy.cancel()
            await busy.value
            // A turn takes a millisecond; the machine may add to that, but not the second that went before.
            #expect(stalls.count == 50 && stalls.sorted()[25] < 0.5, "\(stalls)")
        }
    }
}
