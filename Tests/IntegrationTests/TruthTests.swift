import CurlPool
import Foundation
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// What is shown, against what nginx and the kernel say.
@Suite("Truth", .serialized)
struct TruthTests {
    private func request(_ nginx: Nginx, _ path: String) -> HTTPRequest {
        HTTPRequest(method: .get, scheme: "http", authority: nginx.authority, path: path)
    }

    @Test("At rest, acquires, opened, closed and idle are what nginx and the kernel count")
    func atRest() async throws {
        let nginx = try await Nginx.start()
        let questions = try await questionsAsked(of: nginx)
        let client = try InstrumentedClient(CurlClient(), name: "truth", registry: PoolRegistry())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    for _ in 0..<50 {
                        let response = try await client.execute(request(nginx, "/small"))
                        #expect(response.status == .ok)
                    }
                }
            }
            try await group.waitForAll()
        }
        let origin = try #require(client.reading().origins.first)
        let status = try #require(try await nginx.status(questionsBefore: questions))
        #expect(origin.acquires.total == 1000)
        #expect(status.requests == 1000)
        #expect(Int(origin.connectionsOpened) == status.accepted)
        #expect(origin.connectionsClosed.total == 0)
        #expect(origin.levels.connections.idle == status.open)
        #expect(origin.levels.connections.active == 0)
        #expect(origin.levels.requests.total == 0)
        let kernel = try KernelSockets()
        #expect(kernel.count(.established, to: nginx.port) == origin.levels.connections.idle)

        // nginx goes: every connection is closed here at once, with the true reason, and the kernel keeps none.
        let idle = origin.levels.connections.idle
        try await nginx.stop()
        try await eventually("all are closed") { client.reading().origins.first?.levels.connections.total == 0 }
        let closed = try #require(client.reading().origins.first).connectionsClosed
        #expect(Int(closed[.peerClosed]) == idle)
        #expect(try KernelSockets().count(.closeWait, to: nginx.port) == 0)
        #expect(try KernelSockets().count(.established, to: nginx.port) == 0)
        await client.shutdown()
    }

    @Test("While requests are held open, active and in flight are what nginx and the kernel count")
    func heldOpen() async throws {
        // 8 KiB at 1 KiB a second: nginx holds the request open for longer than the test looks.
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(repeating: 0x61, count: 64 << 10).write(to: folder.appendingPathComponent("held"))
        let nginx = try await Nginx.start(locations: "location = /held { limit_rate 1k; root \(folder.path); }")
        let questions = try await questionsAsked(of: nginx)
        let client = try InstrumentedClient(CurlClient(), name: "held", registry: PoolRegistry())
        // Ten connections, of which seven will be held.
        let first = (0..<10).map { _ in Task { try await client.execute(request(nginx, "/held")).body.collect() } }
        try await eventually("ten are in flight") { client.reading().levels.requests.inFlight == 10 }
        for task in first.dropFirst(7) { task.cancel() }
        for task in first.dropFirst(7) { await #expect(throws: CancellationError.self) { try await task.value } }
        for _ in 0..<5 { _ = try await client.execute(request(nginx, "/small")) }

        let levels = client.reading().levels
        #expect(levels.connections.active == 7)
        #expect(levels.requests.inFlight == 7)
        #expect(levels.connections.idle == 1)
        try await eventually("the kernel agrees") { try KernelSockets().count(.established, to: nginx.port) == 8 }
        // nginx notices a client that went away when it next writes to it.
        var asked = questions
        try await eventually("nginx agrees") {
            let status = try await nginx.status(questionsBefore: asked)
            asked += 1
            return status?.open == 8 && status?.accepted == 11
        }
        let origin = try #require(client.reading().origins.first)
        #expect(origin.connectionsOpened == 11)
        #expect(origin.connectionsClosed[.requestCancelled] == 3)
        #expect(origin.acquires.total == 15)
        for task in first { task.cancel() }
        for task in first { await #expect(throws: CancellationError.self) { try await task.value } }
        await client.shutdown(.immediate)
        #expect(client.reading().levels == OriginLevels())
        try await eventually("no socket is left") { try KernelSockets().count(to: nginx.port) == 0 }
    }

    /// How many questions nginx has been asked until now: it counts them as requests.
    private func questionsAsked(of nginx: Nginx) async throws -> Int {
        // With none taken off but this one, what it counts as requests are the questions before.
        let status = try #require(try await nginx.status())
        return status.requests + 1
    }
}
