import FaultServer
import HTTPPool
import PoolMetrics
import TestSupport
import Testing

/// Many requests, few connections.
@Suite("Concurrency", .serialized)
struct ConcurrencyTests {
    /// Begins one request to each server, one after the other, and lets them through one by one. Each time one is on its
    /// connection, nothing but the others that wait may be there.
    private func oneAfterTheOther(
        _ fault: Fault,
        _ servers: [FaultServer],
        _ client: InstrumentedClient,
        onEach check: (_ position: Int) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (position, server) in servers.enumerated() {
                group.addTask { try await expectAnswer(to: Question(fault, to: server), from: client) }
                try await client.becomes(OriginLevels(active: 1, queued: position))
            }
            for (position, server) in servers.enumerated() {
                try await client.becomes(OriginLevels(active: 1, queued: servers.count - 1 - position))
                try await eventually("it arrived") {
                    Set(servers.map(\.port)).count > 1
                        ? server.ledger.total == 1 : server.ledger.total == position + 1
                }
                try await check(position)
                server.gate.letThrough()
            }
            try await group.waitForAll()
        }
    }

    @Test("With one connection over five origins there is never more than one, and each serves one request")
    func fiveOrigins() async throws {
        let servers = try (0..<5).map { _ in try FaultServer() }
        try await withClient({ $0.limits.maxConnections = 1 }) { client in
            try await oneAfterTheOther(.held, servers, client) { position in
                for (index, server) in servers.enumerated() {
                    try await expectSockets(index == position ? 1 : 0, to: server)
                    #expect(server.acceptedConnections == (index <= position ? 1 : 0))
                }
            }
            try await client.becomes(OriginLevels(idle: 1))
            for server in servers[..<4] { #expect(try client.numbers(of: server).connectionsClosed[.evicted] == 1) }
            #expect(client.reading().limitWaits(.connections) == 4)
        }
    }

    @Test("With one connection and one origin that closes, each request gets a connection of its own, one at a time")
    func sameOriginClosing() async throws {
        let server = try FaultServer()
        try await withClient({ $0.limits.maxConnections = 1 }) { client in
            let servers = Array(repeating: server, count: 5)
            try await oneAfterTheOther(.heldClose, servers, client) { position in
                try await expectSockets(1, to: server)
                #expect(server.acceptedConnections == position + 1)
            }
            try await client.becomes(OriginLevels())
            #expect(try client.numbers(of: server).acquires[.new] == 5)
            #expect(try client.numbers(of: server).connectionsClosed[.responseClose] == 5)
        }
    }

    @Test("With one connection and one origin that keeps it, all requests use it in turn")
    func sameOriginKeepAlive() async throws {
        let server = try FaultServer()
        try await withClient({ $0.limits.maxConnections = 1 }) { client in
            let servers = Array(repeating: server, count: 5)
            try await oneAfterTheOther(.held, servers, client) { _ in
                try await expectSockets(1, to: server)
                #expect(server.acceptedConnections == 1)
            }
            try await client.becomes(OriginLevels(idle: 1))
            #expect(try client.numbers(of: server).acquires[.new] == 1)
            #expect(try client.numbers(of: server).acquires[.reused] == 4)
        }
    }

    @Test("One idle connection is given to one request, however many come at once")
    func oneIdleConnection() async throws {
        let server = try FaultServer()
        try await withClient({ $0.limits.maxConnections = 1 }) { client in
            try await expectAnswer(to: Question(.plain, to: server), from: client)
            try await client.becomes(OriginLevels(idle: 1))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask { try await expectAnswer(to: Question(.held, to: server), from: client) }
                }
                for served in 1...20 {
                    try await client.becomes(OriginLevels(active: 1, queued: 20 - served))
                    // Whoever waits has acquired nothing, and nothing of it has arrived.
                    #expect(try client.numbers(of: server).acquires.total == UInt64(1 + served))
                    try await eventually("one more arrived") { server.ledger.arrivals("GET", "/held") == served }
                    server.gate.letThrough()
                }
                try await group.waitForAll()
            }
            #expect(server.acceptedConnections == 1)
            #expect(try client.numbers(of: server).staleRetries == 0)
        }
    }

    @Test("Hundreds of requests over a few connections: every answer is the right one, and none is asked for twice")
    func rightAnswers() async throws {
        let server = try FaultServer()
        try await withClient({ $0.limits.maxConnections = 8 }) { client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<64 {
                    group.addTask {
                        for fault in [Fault.plain, .chunked, .noContent, .close, .plain] {
                            try await expectAnswer(to: Question(fault, to: server), from: client)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(server.ledger.total == 320)
            #expect(server.ledger.mostArrivals("GET") == 1)
            #expect(try client.numbers(of: server).acquires.total == 320)
            #expect(try client.numbers(of: server).staleRetries == 0)
        }
    }
}
