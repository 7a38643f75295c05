import CurlPool
import FaultServer
import HTTPPool
import PoolMetrics
import TestSupport
import Testing

/// A cancelled request leaves the pool as if it had never been.
@Suite("Cancellation", .serialized)
struct CancellationTests {
    @Test("In whatever state it is cancelled, levels and sockets are what they were", arguments: Moment.allCases)
    func levelsAndSockets(moment: Moment) async throws {
        let (server, other) = (try moment.server(), try FaultServer())
        let held = moment == .queued ? server : other
        try await withClient({ $0.limits.maxConnections = 2 }) { client in
            // One connection is at work meanwhile; where the request is to be queued, both are.
            let holders = (0..<(moment == .queued ? 2 : 1)).map { _ in
                Task { try await expectAnswer(to: Question(.held, to: held), from: client) }
            }
            try await client.becomes(OriginLevels(active: holders.count))
            let before = try KernelSockets().count(to: server.port)
            for _ in 0..<3 {
                #expect(try await moment.cancelOne(to: server, in: client))
                try await client.becomes(OriginLevels(active: holders.count))
                try await eventually("the kernel has what it had") {
                    try KernelSockets().count(to: server.port) == before
                }
            }
            // Nothing is taken of what may be open.
            held.gate.open()
            for holder in holders { try await holder.value }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 {
                    let question = Question(.plain, to: other)
                    group.addTask {
                        try await expectAnswer(to: question, from: client, options: .acquiring(within: .seconds(20)))
                    }
                }
                try await group.waitForAll()
            }
            let cancelled = try #require(client.reading().origins.first { $0.label.hasSuffix(":\(server.port)") })
            switch moment {
            case .queued, .connecting, .inHandshake: #expect(cancelled.acquireFailures[.cancelled] == 3)
            default: #expect(cancelled.connectionsClosed[.requestCancelled] == 3)
            }
            #expect(cancelled.connectFailures[.cancelled] == (moment == .connecting || moment == .inHandshake ? 3 : 0))
        }
    }

    @Test("Fifty requests that were cancelled before they connected have not taken the one slot there is")
    func slotAfterCancelledConnect() async throws {
        let (full, server) = (try FaultServer(.full), try FaultServer())
        try await withClient({ $0.limits.maxConnections = 1 }) { client in
            for _ in 0..<50 { #expect(try await Moment.connecting.cancelOne(to: full, in: client)) }
            try await expectAnswer(to: Question(.plain, to: server), from: client, options: .acquiring(within: .zero))
            try await client.becomes(OriginLevels(idle: 1))
        }
    }

    @Test("The one that waits is served when the one that connects in front of it is cancelled")
    func waiterBehindCancelledConnect() async throws {
        let (full, server) = (try FaultServer(.full), try FaultServer())
        try await withClient({ $0.limits.maxConnections = 1 }) { client in
            let connecting = Task { try await Question(.plain, to: full).ask(client) }
            try await client.becomes(OriginLevels(connecting: 1))
            async let answer: Void = expectAnswer(to: Question(.plain, to: server), from: client)
            try await client.becomes(OriginLevels(connecting: 1, queued: 1))
            connecting.cancel()
            try await answer
            try await client.becomes(OriginLevels(idle: 1))
        }
    }

    @Test("Half of those that wait are cancelled: the others are served, in the order in which they came")
    func halfOfTheQueue() async throws {
        let server = try FaultServer()
        try await withClient({ $0.limits.maxConnections = 1 }) { client in
            let questions = (0..<41).map { _ in Question(.held, to: server) }
            var tasks: [Task<Void, any Error>] = []
            for (queued, question) in questions.enumerated() {
                tasks.append(Task { try await expectAnswer(to: question, from: client) })
                try await client.becomes(OriginLevels(active: 1, queued: queued))
            }
            for task in tasks.indices.filter({ $0 % 2 == 1 }).map({ tasks[$0] }) {
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
            }
            try await client.becomes(OriginLevels(active: 1, queued: 20))
            for index in tasks.indices where index % 2 == 0 {
                try await eventually("it is its turn") {
                    server.ledger.arrivals(ofToken: questions[index].token) == 1
                }
                #expect(server.ledger.total == index / 2 + 1)
                server.gate.letThrough()
                try await tasks[index].value
            }
            try await client.becomes(OriginLevels(idle: 1))
            #expect(server.acceptedConnections == 1)
        }
    }
}
