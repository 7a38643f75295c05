import FaultServer
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// Which connections are kept, for how long, and for whom.
@Suite("Keep-alive", .serialized)
struct KeepAliveTests {
    @Test("A connection is active during a request, idle after it, and used again by its own origin alone")
    func keptAndUsedAgain() async throws {
        let (server, other) = (try FaultServer(), try FaultServer())
        try await withClient { client in
            for round in 1...2 {
                async let answer: Void = expectAnswer(to: Question(.held, to: server), from: client)
                try await client.becomes(OriginLevels(active: 1))
                server.gate.letThrough()
                try await answer
                try await client.becomes(OriginLevels(idle: 1))
                #expect(server.acceptedConnections == 1)
                #expect(try client.numbers(of: server).acquires.total == UInt64(round))
            }
            async let answer: Void = expectAnswer(to: Question(.held, to: other), from: client)
            try await client.becomes(OriginLevels(active: 1, idle: 1))
            other.gate.letThrough()
            try await answer
            try await client.becomes(OriginLevels(idle: 2))
            try await expectSockets(1, to: server)
            try await expectSockets(1, to: other)
            #expect(try client.numbers(of: server).acquires[.new] == 1)
            #expect(try client.numbers(of: server).acquires[.reused] == 1)
            #expect(try client.numbers(of: other).acquires[.new] == 1)
        }
    }

    @Test("A request that says Connection: close is the last of its connection, whatever the server makes of it")
    func requestSaysClose() async throws {
        let server = try FaultServer()
        try await withClient { client in
            let question = Question(.plain, to: server)
            var request = question.request
            request.headerFields[.connection] = "close"
            let response = try await client.execute(request)
            #expect(try await response.body.collect() == TokenText.bytes(of: question.token, count: 120))
            try await client.becomes(OriginLevels(), within: .seconds(2))
            try await expectSockets(0, to: server)
            #expect(try client.numbers(of: server).connectionsClosed[.responseClose] == 1)
        }
    }

    @Test(
        "An answer that says Connection: close, or that only the close ends",
        arguments: [
            Fault.close, .closeWithoutBody, .closeEndsBody,
        ]
    )
    func answerSaysClose(fault: Fault) async throws {
        let server = try FaultServer()
        try await withClient { client in
            for round in 1...3 {
                try await expectAnswer(to: Question(fault, to: server), from: client)
                try await client.becomes(OriginLevels())
                #expect(server.acceptedConnections == round)
            }
            try await expectSockets(0, to: server)
            #expect(try client.numbers(of: server).connectionsClosed[.responseClose] == 3)
        }
    }

    /// Sends one request, and finds its connection closed for a reason as soon as it is over.
    private func expectNotKept(by client: InstrumentedClient, server: FaultServer, reason: CloseReason) async throws {
        async let answer: Void = expectAnswer(to: Question(.held, to: server), from: client)
        try await client.becomes(OriginLevels(active: 1))
        server.gate.letThrough()
        try await answer
        try await client.becomes(OriginLevels())
        try await expectSockets(0, to: server)
        #expect(try client.numbers(of: server).connectionsClosed[reason] == 1)
    }

    @Test("With an expiry of zero a connection is closed as soon as its request is over")
    func immediateExpiry() async throws {
        let server = try FaultServer()
        try await withClient({ $0.limits.keepaliveExpiry = .zero }) { client in
            try await expectNotKept(by: client, server: server, reason: .idleExpired)
        }
    }

    @Test("Where no idle connection may be kept, none is")
    func noneKept() async throws {
        let server = try FaultServer()
        try await withClient({ $0.limits.maxIdleConnections = 0 }) { client in
            try await expectNotKept(by: client, server: server, reason: .idleSurplus)
        }
    }

    @Test("The limit of kept connections counts the idle ones alone, not those at work")
    func limitCountsIdleOnes() async throws {
        let server = try FaultServer()
        try await withClient({ $0.limits.maxIdleConnections = 1 }) { client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<3 {
                    group.addTask { try await expectAnswer(to: Question(.held, to: server), from: client) }
                }
                try await client.becomes(OriginLevels(active: 3))
                // More connections are open than may be kept, and still this one is kept, and used again.
                for _ in 0..<3 {
                    try await expectAnswer(to: Question(.plain, to: server), from: client)
                    try await client.becomes(OriginLevels(active: 3, idle: 1))
                }
                #expect(server.acceptedConnections == 4)
                server.gate.letThrough(3)
                try await group.waitForAll()
            }
            try await client.becomes(OriginLevels(idle: 1))
            try await expectSockets(1, to: server)
            #expect(try client.numbers(of: server).connectionsClosed[.idleSurplus] == 3)
        }
    }

    @Test("An idle connection expires by a timer, with nobody asking for anything")
    func expiresByTimer() async throws {
        let server = try FaultServer()
        try await withClient({ $0.limits.keepaliveExpiry = .milliseconds(100) }) { client in
            try await expectAnswer(to: Question(.plain, to: server), from: client)
            try await client.becomes(OriginLevels())
            try await expectSockets(0, to: server)
            #expect(try client.numbers(of: server).connectionsClosed[.idleExpired] == 1)
        }
    }

    @Test("A new origin's connection takes the place of the one that has been idle the longest")
    func longestIdleIsEvicted() async throws {
        let servers = try (0..<4).map { _ in try FaultServer() }
        try await withClient({ $0.limits.maxConnections = 3 }) { client in
            for server in servers[..<3] { try await expectAnswer(to: Question(.plain, to: server), from: client) }
            // The first was opened first, and is not the one that has been idle the longest.
            try await expectAnswer(to: Question(.plain, to: servers[0]), from: client)
            try await expectAnswer(to: Question(.plain, to: servers[3]), from: client)
            try await client.becomes(OriginLevels(idle: 3))
            #expect(try client.numbers(of: servers[1]).connectionsClosed[.evicted] == 1)
            for server in [servers[0], servers[2], servers[3]] {
                #expect(try client.numbers(of: server).connectionsClosed.total == 0)
                try await expectSockets(1, to: server)
            }
            try await expectSockets(0, to: servers[1])
        }
    }
}
