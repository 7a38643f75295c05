import FaultServer
import HTTPPool
import PoolMetrics
import TestSupport
import Testing

/// What becomes of requests when the pool is shut down.
@Suite("Closing the pool", .serialized)
struct ClosingTests {
    @Test("A pool that is closed while a body is being read ends the request with an error, and nothing is left")
    func whileInFlight() async throws {
        let server = try FaultServer()
        try await withClient { client in
            let question = Question(.heldInBody, to: server)
            let running = Task { try await question.ask(client) }
            try await eventually("it arrived") { server.ledger.arrivals(ofToken: question.token) == 1 }
            await client.shutdown(.immediate)
            await #expect(throws: PoolError.self) { try await running.value }
            #expect(client.reading().levels == OriginLevels())
            try await expectSockets(0, to: server)
            #expect(try client.numbers(of: server).connectionsClosed[.shutdown] == 1)
            server.gate.open()
        }
    }

    @Test("At the close, requests that wait and requests that come are refused; the one that runs ends well")
    func waitingAreRefused() async throws {
        let server = try FaultServer()
        try await withClient({ $0.limits.maxConnections = 1 }) { client in
            async let answer: Void = expectAnswer(to: Question(.held, to: server), from: client)
            try await client.becomes(OriginLevels(active: 1))
            let waiting = (0..<3).map { _ in Task { try await Question(.held, to: server).ask(client) } }
            try await client.becomes(OriginLevels(active: 1, queued: 3))
            async let ending: Void = client.shutdown(ShutdownPolicy(queued: .fail, grace: .seconds(30)))
            for task in waiting {
                let error = try await poolError { _ = try await task.value }
                #expect(error.code == .shutdown)
            }
            #expect(try await poolError { _ = try await Question(.plain, to: server).ask(client) }.code == .shutdown)
            #expect(client.reading().levels == OriginLevels(active: 1))
            server.gate.letThrough()
            try await answer
            await ending
            #expect(client.reading().levels == OriginLevels())
            #expect(try client.numbers(of: server).acquireFailures[.shutdown] == 4)
            #expect(server.ledger.total == 1)
            try await expectSockets(0, to: server)
        }
    }

    @Test("Where the policy says so, requests that wait are still served; those that come are refused")
    func waitingMayFinish() async throws {
        let server = try FaultServer()
        try await withClient({ $0.limits.maxConnections = 1 }) { client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for queued in 0..<3 {
                    group.addTask { try await expectAnswer(to: Question(.held, to: server), from: client) }
                    try await client.becomes(OriginLevels(active: 1, queued: queued))
                }
                async let ending: Void = client.shutdown(ShutdownPolicy(queued: .finish, grace: .seconds(30)))
                try await eventually("those that come are refused") {
                    try await poolError {
                        _ = try await Question(.plain, to: server).ask(client, options: .acquiring(within: .zero))
                    }.code == .shutdown
                }
                #expect(client.reading().levels == OriginLevels(active: 1, queued: 2))
                server.gate.letThrough(3)
                try await group.waitForAll()
                await ending
            }
            #expect(server.ledger.arrivals("GET", "/held") == 3)
            #expect(server.ledger.arrivals("GET", "/plain") == 0)
            try await expectSockets(0, to: server)
        }
    }

    @Test("Idle connections are closed at the close, and a second one waits for the same end")
    func idleOnes() async throws {
        let server = try FaultServer()
        try await withClient { client in
            try await expectAnswer(to: Question(.plain, to: server), from: client)
            try await client.becomes(OriginLevels(idle: 1))
            async let first: Void = client.shutdown()
            async let second: Void = client.shutdown()
            _ = await (first, second)
            #expect(client.reading().levels == OriginLevels())
            try await expectSockets(0, to: server)
            #expect(try client.numbers(of: server).connectionsClosed[.shutdown] == 1)
        }
    }
}
