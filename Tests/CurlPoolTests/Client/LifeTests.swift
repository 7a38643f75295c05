import Foundation
import HTTPPool
import HTTPTypes
import TestSupport
import Testing

@testable import CurlPool

@Suite("A pool's life")
struct LifeTests {
    @Test("Shutdown drains: what runs finishes, what is new is refused, nothing is left")
    func shutdown() async throws {
        let go = Gate()
        let peer = try ScriptedPeer { connection, _ in
            while let (head, _) = try connection.readRequest() {
                if head.contains("/slow") { try go.wait() }
                connection.answer("ok")
            }
        }
        let pool = try CurlClient()
        let journal = Journal()
        try pool.attach(journal)
        _ = try await pool.execute(get(peer))
        _ = try await pool.execute(get(peer))
        let running = Task { try await pool.execute(get(peer, "/slow")).text }
        try await eventually("it runs") { journal.levels.requests.inFlight == 1 }
        let ending = Task { await pool.shutdown() }
        try await eventually("new ones are refused") {
            await code { _ = try await pool.execute(get(peer)) } == .shutdown
        }
        #expect(journal.levels.requests.inFlight == 1)
        go.open()
        #expect(try await running.value == "ok")
        await ending.value
        #expect(journal.levels == OriginLevels())
        #expect(journal.opened == journal.closeReasons.count)
        try await eventually("the kernel agrees") { try KernelSockets().count(to: peer.port) == 0 }
        // Refusals after the end are counted too.
        let refused = journal.acquireFailures.count
        #expect(await code { _ = try await pool.execute(get(peer)) } == .shutdown)
        #expect(journal.acquireFailures.count == refused + 1)
        await pool.shutdown()
    }

    @Test("When the grace is over, what still runs fails")
    func graceEnds() async throws {
        let peer = try ScriptedPeer { connection, _ in connection.waitForEnd() }
        let pool = try CurlClient()
        let journal = Journal()
        try pool.attach(journal)
        let running = Task { try await pool.execute(get(peer)) }
        try await eventually("it runs") { journal.levels.requests.inFlight == 1 }
        await pool.shutdown(ShutdownPolicy(queued: .fail, grace: .milliseconds(50)))
        await #expect(throws: PoolError.self) { try await running.value }
        #expect(journal.closeReasons == [.shutdown])
        #expect(journal.levels == OriginLevels())
    }

    @Test("A pool that nobody shut down ends with its last reference")
    func deallocation() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil { connection.answer("ok") }
        }
        let journal = Journal()
        do {
            let pool = try CurlClient()
            try pool.attach(journal)
            _ = try await pool.execute(get(peer))
        }
        try await eventually("its connection is closed") { journal.closeReasons == [.shutdown] }
        try await eventually("the socket is gone") { try KernelSockets().count(to: peer.port) == 0 }
    }

    @Test("A second observer, and one that comes late, is refused")
    func oneObserver() async throws {
        try await withPool { pool, _ in #expect(throws: PoolError.self) { try pool.attach(Journal()) } }
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil { connection.answer("ok") }
        }
        let pool = try CurlClient()
        _ = try await pool.execute(get(peer))
        #expect(throws: PoolError.self) { try pool.attach(Journal()) }
        await pool.shutdown()
    }

    @Test("Values that are not allowed make no pool")
    func configurationIsChecked() throws {
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = 0
        #expect(throws: ConfigurationError.self) { try CurlClient(configuration) }
    }

    @Test("It goes on working while every thread of Swift's concurrency is blocked")
    func blockedConcurrency() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil { connection.answer("ok") }
        }
        try await withPool(.with { $0.limits.keepaliveExpiry = .milliseconds(30) }) { pool, journal in
            _ = try await pool.execute(get(peer))
            let go = Gate()
            let blockers = (0..<32).map { _ in Task.detached { try go.wait() } }
            try await onThread {
                defer { go.open() }
                try waitOnThread("the idle connection expires", within: .seconds(10)) { !journal.closeReasons.isEmpty }
            }
            #expect(journal.closeReasons == [.idleExpired])
            for blocker in blockers { try await blocker.value }
        }
    }
}
