import CurlPool
import Glibc
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// A process that runs out of descriptors (setrlimit(2), RLIMIT_NOFILE). Go's runtime, since 1.19, raises its own limit for
/// that; Swift's dispatch library ends the process when it cannot open a file in /proc.
@Suite("Descriptors", .serialized)
struct DescriptorFieldTests {
    @Test("A request for which there is no descriptor names the limit, and the next one after that works")
    func none() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil { connection.answer("a") }
        }
        try await withMeasuredPool { client in
            // The pool leaves the last eight to the runtime.
            let squeeze = try DescriptorSqueeze(free: 8)
            let error = try await poolError { _ = try await client.execute(.to(peer.authority)) }
            #expect(error.code == .outOfResources, "\(error)")
            #expect(error.phase == .connect)
            #expect(error.reason.contains(/RLIMIT_NOFILE = \d+/), "\(error)")
            #expect(peer.connections == 0)
            squeeze.end()
            let found = try await client.fetch(.to(peer.authority))
            #expect(found.text == "a")
            let origin = try client.onlyOrigin
            #expect(origin.connectFailures[.noDescriptor] == 1)
            #expect(origin.connectFailures.total == 1)
            #expect(origin.acquireFailures[.connectFailed] == 1)
        }
    }

    @Test("Idle connections are given up for a connection that has no descriptor")
    func evicted() async throws {
        let answers: ScriptedPeer.Script = { connection, _ in
            while try connection.readRequest() != nil { connection.answer("a") }
        }
        let (first, second) = (try ScriptedPeer(answers), try ScriptedPeer(answers))
        try await withMeasuredPool { client in
            let warm = try await client.fetch(.to(first.authority))
            #expect(warm.text == "a")
            // The peers live in this process, and accept with what the pool leaves.
            let squeeze = try DescriptorSqueeze(free: 8)
            let found = try await client.fetch(.to(second.authority))
            squeeze.end()
            #expect(found.text == "a")
            let reading = client.reading()
            let closed = reading.origins.reduce(0) { $0 + $1.connectionsClosed[.evicted] }
            #expect(closed == 1)
            let failed = reading.origins.reduce(0) { $0 + $1.connectFailures[.noDescriptor] }
            #expect(failed == 1)
            #expect(reading.origins.allSatisfy { $0.acquireFailures.total == 0 })
        }
    }
}
