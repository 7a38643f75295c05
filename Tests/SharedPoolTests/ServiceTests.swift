import CurlPool
import HTTPPool
import HTTPTypes
import LoopbackUpstream
import PoolMetrics
import ServiceLifecycle
import SharedPool
import TestSupport
import Testing

@Suite("A client in a service group")
struct ServiceTests {
    @Test("works until the group shuts down, then refuses new requests and lets a running one finish")
    func gracefulShutdown() async throws {
        try await withRig { rig in
            #expect(try await rig.get("/fast").status == .ok)
            async let slow = rig.get("/slow?ms=3000")
            try await eventually("the slow request runs") { rig.levels.requests.inFlight == 1 }

            await rig.group.triggerGracefulShutdown()
            try await eventually("new requests are refused") { await rig.codeOfRefusal() == .shutdown }
            #expect(rig.levels.requests.inFlight == 1)

            #expect(try await slow.status == .ok)
            try await rig.run.value
            try await expectNothingLeft(of: rig)
        }
    }

    @Test("closes its idle connections when the group shuts down")
    func idleConnections() async throws {
        try await withRig { rig in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { _ = try await rig.get("/slow?ms=100") } }
                try await group.waitForAll()
            }
            #expect(rig.levels.connections.idle == 4)
            #expect(try KernelSockets().count(.established, to: rig.port) == 4)
            await rig.group.triggerGracefulShutdown()
            try await rig.run.value
            try await expectNothingLeft(of: rig)
        }
    }

    @Test("ends at once, whatever runs, when the group is cancelled")
    func cancellation() async throws {
        try await withRig { rig in
            async let hanging = rig.codeOfRefusal("/hang")
            try await eventually("the request runs") { rig.levels.requests.inFlight == 1 }
            rig.run.cancel()
            // A graceful shutdown would give the request ten seconds.
            try await eventually("the pool is gone", within: .seconds(8)) {
                rig.registry.readings().allSatisfy(\.hasEnded)
            }
            #expect(await hanging == .shutdown)
            _ = await rig.run.result
            try await expectNothingLeft(of: rig)
        }
    }

    /// The pool has no level, no socket and no name any more, but still its last numbers.
    private func expectNothingLeft(of rig: Rig) async throws {
        #expect(rig.levels == OriginLevels())
        let reading = rig.client.reading()
        let opened = reading.origins.reduce(0) { $0 + $1.connectionsOpened }
        #expect(opened > 0)
        #expect(opened == reading.origins.reduce(0) { $0 + $1.connectionsClosed.total })
        try await eventually("no socket is left") { try KernelSockets().count(to: rig.port) == 0 }
        try await eventually("the upstream has no connection") { rig.upstream.counts.connectionsOpen == 0 }
        #expect(rig.registry.readings().map(\.hasEnded) == [true])
        #expect(rig.registry.readings().map(\.levels) == [OriginLevels()])
        #expect(await rig.codeOfRefusal() == .shutdown)

        let next = try InstrumentedClient(CurlClient(), name: rig.client.name, registry: rig.registry)
        #expect(rig.registry.readings().map(\.name) == [rig.client.name])
        await next.shutdown(.immediate)
    }
}
