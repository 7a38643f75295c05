import FaultServer
import HTTPPool
import PoolMetrics
import TestSupport
import Testing

/// How long a request waits for a connection.
@Suite("Waiting for a connection", .serialized)
struct WaitingTests {
    @Test("A request that waits longer than its timeout fails, and the one that it waited for does not")
    func timeout() async throws {
        let server = try FaultServer()
        try await withClient({ $0.limits.maxConnections = 1 }) { client in
            async let answer: Void = expectAnswer(to: Question(.held, to: server), from: client)
            try await client.becomes(OriginLevels(active: 1))
            let error = try await poolError {
                _ = try await Question(.held, to: server).ask(client, options: .acquiring(within: .milliseconds(50)))
            }
            #expect(error.code == .acquireTimeout)
            #expect(error.limit?.setting == .maxConnections)
            #expect(try #require(error.elapsed) >= .milliseconds(50))
            #expect(client.reading().levels == OriginLevels(active: 1))
            server.gate.letThrough()
            try await answer
            #expect(server.ledger.total == 1)
            #expect(try client.numbers(of: server).acquireFailures[.timeout] == 1)
        }
    }

    @Test("A timeout of zero takes a connection that is there or can be opened")
    func zeroWithRoom() async throws {
        let server = try FaultServer()
        try await withClient({ $0.limits.maxConnections = 1 }) { client in
            for _ in 0..<2 {
                try await expectAnswer(
                    to: Question(.plain, to: server),
                    from: client,
                    options: .acquiring(within: .zero)
                )
                try await client.becomes(OriginLevels(idle: 1))
            }
            #expect(server.acceptedConnections == 1)
        }
    }

    @Test("A timeout of zero does not wait for one that is taken")
    func zeroWithoutRoom() async throws {
        let server = try FaultServer()
        try await withClient({ $0.limits.maxConnections = 1 }) { client in
            async let answer: Void = expectAnswer(
                to: Question(.held, to: server),
                from: client,
                options: .acquiring(within: .zero)
            )
            try await client.becomes(OriginLevels(active: 1))
            let error = try await poolError {
                _ = try await Question(.held, to: server).ask(client, options: .acquiring(within: .zero))
            }
            #expect(error.code == .acquireTimeout)
            server.gate.letThrough()
            try await answer
        }
    }

    @Test("The timeout counts once: connections that come free for others meanwhile do not begin it anew")
    func oneDeadline() async throws {
        let server = try FaultServer()
        try await withClient({ $0.limits.maxConnections = 1 }) { client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for queued in 0..<30 {
                    group.addTask { try await expectAnswer(to: Question(.held, to: server), from: client) }
                    try await client.becomes(OriginLevels(active: 1, queued: queued))
                }
                let last = Task {
                    _ = try await Question(.held, to: server)
                        .ask(client, options: .acquiring(within: .milliseconds(500)))
                }
                try await client.becomes(OriginLevels(active: 1, queued: 30))
                // A connection comes free five times as often as the timeout ends.
                let traffic = Task {
                    while !Task.isCancelled {
                        server.gate.letThrough()
                        try await Task.sleep(for: .milliseconds(100))
                    }
                }
                let error = try await poolError { try await last.value }
                traffic.cancel()
                #expect(error.code == .acquireTimeout)
                #expect(try #require(error.elapsed) >= .milliseconds(500))
                #expect(try client.numbers(of: server).acquires.total > 1)
                server.gate.open()
                try await group.waitForAll()
            }
        }
    }

    @Test(
        "A request that may not wait, and meets a dead connection, gets a new one at once",
        arguments: [
            Fault.dropOnReuse, .resetOnReuse,
        ]
    )
    func retryDoesNotWait(fault: Fault) async throws {
        let server = try FaultServer()
        try await withClient({ $0.limits.maxConnections = 1 }) { client in
            for _ in 0..<2 {
                try await expectAnswer(
                    to: Question(fault, to: server),
                    from: client,
                    options: .acquiring(within: .zero)
                )
            }
            #expect(try client.numbers(of: server).staleRetries == 1)
            try await client.becomes(OriginLevels(idle: 1))
        }
    }
}
