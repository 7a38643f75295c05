import CurlPool
import HTTPPool
import HTTPTypes
import PoolMetrics
import Synchronization
import TestSupport
import Testing

/// How long a connection is kept, and how requests on it end.
@Suite("Ends of connections")
struct ConnectionEndTests {
    // Apache HttpClient 5 (DefaultConnectionKeepAliveStrategy), undici (keepAliveTimeoutThreshold).
    @Test("A connection is given up before the peer's announced keep-alive is over")
    func keepAliveHint() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil {
                connection.answer("ok", headers: "Keep-Alive: timeout=1, max=9\r\n")
            }
        }
        try await withMeasuredPool { client in
            _ = try await client.fetch(.to(peer.authority, method: .post), body: "a")
            _ = try await client.fetch(.to(peer.authority, method: .post), body: "b")
            try await client.becomes()
            let origin = try client.onlyOrigin
            #expect(origin.connectionsClosed[.idleExpired] == 1)
            #expect(origin.acquires[.reused] == 1)
        }
    }

    @Test("A peer that keeps no connection: timeout=0")
    func keepsNone() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil { connection.answer("ok", headers: "keep-alive:Timeout=0\r\n") }
        }
        try await withMeasuredPool { client in
            _ = try await client.fetch(.to(peer.authority))
            try await client.becomes()
            let origin = try client.onlyOrigin
            #expect(origin.connectionsClosed[.responseClose] == 1)
        }
    }

    // RFC 9110, 5.6.1 and 7.6.1: a list of tokens, each compared whole.
    @Test(
        "Whether a request asks for the end of its connection",
        arguments: [
            ("close", true), ("Close", true), ("keep-alive,  close", true), ("keep-alive,\tclose\t", true),
            (" , close", true), ("closed", false), ("x-close", false), ("close-not", false), ("keep-alive", false),
        ]
    )
    func connectionTokens(value: String, closes: Bool) async throws {
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil { connection.answer("ok") }
        }
        try await withMeasuredPool { client in
            _ = try await client.fetch(.to(peer.authority, fields: [.connection: value]))
            try await client.becomes(idle: closes ? 0 : 1)
            let origin = try client.onlyOrigin
            #expect(origin.connectionsClosed.total == (closes ? 1 : 0))
        }
    }

    @Test("A request that a shutdown ended says how far it had come")
    func phaseAtShutdown() async throws {
        let arrived = Counter()
        let peer = try ScriptedPeer { connection, _ in
            guard try connection.readHeadOnly() != nil else { return }
            arrived.add(1)
            connection.waitForEnd()
        }
        try await withMeasuredPool {
            $0.limits.maxConnections = 1
        } _: { client in
            async let first = poolError { _ = try await client.fetch(.to(peer.authority)) }
            try await eventually("it has arrived") { arrived.value == 1 }
            async let second = poolError { _ = try await client.fetch(.to(peer.authority)) }
            try await eventually("it is queued") { client.reading().levels.requests.queued == 1 }
            await client.shutdown(.immediate)
            let (ended, queued) = try await (first, second)
            #expect((ended.code, ended.phase) == (.shutdown, .exchange))
            #expect((queued.code, queued.phase) == (.shutdown, .acquire))
        }
    }

    /// Notes whether it is ever called by two threads at once.
    private final class Witness: PoolObserver {
        private let inside = Atomic<Int>(0)
        private let most = Atomic<Int>(0)
        let calls = Counter()
        var mostAtOnce: Int { most.load(ordering: .relaxed) }

        func poolDidTurn(_ turn: borrowing PoolTurn) {
            let now = inside.add(1, ordering: .sequentiallyConsistent).newValue
            most.max(now, ordering: .relaxed)
            calls.add(1)
            for _ in 0..<2_000 { _ = inside.load(ordering: .sequentiallyConsistent) }
            inside.subtract(1, ordering: .sequentiallyConsistent)
        }
    }

    @Test("The observer is called by one thread at a time, after the end as well")
    func observerAfterTheEnd() async throws {
        let pool = try CurlClient()
        let witness = Witness()
        try pool.attach(witness)
        await pool.shutdown(.immediate)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<500 {
                        let error = try await poolError { _ = try await pool.execute(.to("127.0.0.1:9")) }
                        #expect(error.code == .shutdown)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(witness.calls.value == 4_000)
        #expect(witness.mostAtOnce == 1)
    }
}
