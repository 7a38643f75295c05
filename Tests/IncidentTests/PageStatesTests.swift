import CurlPool
import HTTPPool
import HTTPTypes
import Logging
import PoolEndpoint
import PoolMetrics
import TestSupport
import Testing

/// What programs read: the JSON that a real endpoint sends, against the schema of the documentation.
@Suite("The JSON of a real endpoint", .serialized)
struct PageStatesTests {
    private static let paths = ["/", "/leases", "/queue", "/events", "/config"]

    /// What is not as the schema says in the pages of an endpoint of this registry.
    private func problems(_ registry: PoolRegistry, pools: [String]) async throws -> [String] {
        let endpoint = MetricsEndpoint(
            EndpointConfiguration(host: "127.0.0.1", port: 0),
            registry: registry,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
        let address = try await endpoint.start()
        var pages: [String: String] = [:]
        for path in Self.paths + pools.map({ "/pools/\($0)" }) {
            let result = try await curl("--fail", "http://\(address)\(path)?format=json")
            #expect(result.status == 0, "\(path): \(result.errors)")
            pages[path] = result.output
        }
        await endpoint.stop()
        return try await PageSchema.problems(in: pages)
    }

    @Test("is as the schema says without a pool, with an idle one, with a saturated one and after its end")
    func states() async throws {
        let registry = PoolRegistry()
        #expect(try await problems(registry, pools: []) == [])

        let peer = try ScriptedPeer { connection, _ in
            guard try connection.readRequest() != nil else { return }
            connection.waitForEnd()
        }
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = 1
        configuration.limits.maxConnectionsPerOrigin = 1
        configuration.series.overdueLease = .milliseconds(10)
        let client = try InstrumentedClient(CurlClient(configuration), name: "shared", registry: registry)
        #expect(try await problems(registry, pools: ["shared"]) == [])

        let request = HTTPRequest(method: .get, scheme: "http", authority: peer.authority, path: "/")
        let tasks = (0..<3).map { _ in Task { try await client.execute(request) } }
        try await eventually("saturated, and overdue") {
            client.reading().levels.requests.queued == 2 && client.reading().overdueLeases?.total == 1
        }
        #expect(try await problems(registry, pools: ["shared"]) == [])

        await client.shutdown(.immediate)
        for task in tasks { await #expect(throws: PoolError.self) { _ = try await task.value } }
        #expect(try await problems(registry, pools: ["shared"]) == [])
        try await peer.stop()
    }

    @Test("is as the schema says for an adapter's pool that reports no connections, queue, phases or timeouts")
    func adapter() async throws {
        let fake = FakePool(facts: [])
        let registry = PoolRegistry()
        let measured = try MeasuredPool(fake, name: "adapter", registry: registry)
        let recorder = PoolRecorder(backend: PoolBackend(library: "client/1.0", tls: "none"), facts: [])
        let recorded = try MeasuredPool(recorder, name: "recorded", registry: registry)
        let origin = Origin(scheme: "https", host: "upstream.example", port: 443)
        recorder.record { ledger in
            let request = ledger.submitted(to: origin, site: "catalog")
            ledger.acquired(request, .new)
        }
        #expect(try await problems(registry, pools: ["adapter", "recorded"]) == [])
        withExtendedLifetime((measured, recorded)) {}
    }
}
