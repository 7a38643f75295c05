import CurlPool
import HTTPPool
import HTTPTypes
import Logging
import PoolEndpoint
import PoolMetrics
import TestSupport
import Testing

/// A task on the pool's thread that does not return: no response is read meanwhile, and the scrapes say so.
@Suite("A turn of two seconds", .serialized)
struct StalledTurnTests {
    private static let stall = "http_client_pool_driver_stall_seconds"

    @Test("Scrapes during it are served at once; the stall shows, what waits shows, integrals go on, no counter falls")
    func scrapes() async throws {
        let gate = Gate()
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil {
                try gate.wait()
                connection.answer("a")
            }
        }
        let registry = PoolRegistry()
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = 1
        let client = try InstrumentedClient(CurlClient(configuration), name: "stalled", registry: registry)
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let place = EndpointConfiguration(host: "127.0.0.1", port: 0)
        let endpoint = MetricsEndpoint(place, registry: registry, logger: logger)
        let url = "http://\(try await endpoint.start())/metrics"
        let checked = CheckedScrapes()

        let tasks = (0..<2).map { _ in Task { try await client.fetch(.to(peer.authority)).text } }
        try await eventually("one is in flight, one is queued") {
            let levels = client.reading().levels.requests
            return levels.inFlight == 1 && levels.queued == 1
        }
        let before = try await checked.scrape(url)
        #expect(before.value(Self.stall) == 0)

        let turn = Gate()
        let began = MonotonicTime.now()
        let blocker = Task(executorPreference: client.pool.executor) { try turn.wait() }
        try await eventually("the stall shows") { (client.reading().driverStallSeconds ?? 0) > 0.3 }
        let early = try await checked.scrape(url)
        let earlyEnded = MonotonicTime.now()
        // The response is there, and no turn to read it; another request comes, and no turn takes it.
        gate.open()
        let late = Task { try await client.fetch(.to(peer.authority)).text }
        try await eventually("two seconds of the turn are over") { MonotonicTime.now() - began >= 2_000_000_000 }
        let lateBegan = MonotonicTime.now()
        let later = try await checked.scrape(url)
        let lateEnded = MonotonicTime.now()
        turn.open()
        try await blocker.value
        for task in tasks + [late] { #expect(try await task.value == "a") }
        try await eventually("the thread sleeps") { client.reading().driverStallSeconds == 0 }
        let after = try await checked.scrape(url)

        let stalls = [early, later].compactMap { $0.value(Self.stall) }
        try #require(stalls.count == 2)
        #expect(stalls[0] > 0.3 && stalls[1] > stalls[0])
        #expect(stalls[1] >= Double(lateBegan - earlyEnded) / 1e9)
        #expect(stalls[1] <= Double(lateEnded - began) / 1e9)
        #expect(after.value(Self.stall) == 0)

        func grown(_ name: String, _ labels: [String: String] = [:], from: ExpositionReader, to: ExpositionReader)
            -> Double
        {
            to.sum("http_client_pool_" + name, labels) - from.sum("http_client_pool_" + name, labels)
        }
        // Of what no turn has reported, the scrape knows the level and the age, and the turn that reports it its time.
        #expect(later.sum("http_client_pool_requests", ["state": "queued"]) == 2)
        #expect(later.sum("http_client_pool_requests", ["state": "in_flight"]) == 1)
        for name in ["lease_seconds_total", "queued_seconds_total", "wait_seconds_total", "site_wait_seconds_total"] {
            #expect(grown(name, from: early, to: later) >= Double(lateBegan - earlyEnded) / 1e9 - 1e-9, "\(name)")
            #expect(grown(name, from: later, to: after) >= 0, "\(name)")
        }
        let active = ["state": "active"]
        #expect(
            grown("connection_seconds_total", active, from: early, to: later) >= Double(lateBegan - earlyEnded) / 1e9
                - 1e-9
        )
        #expect(after.sum("http_client_pool_leases_total", ["outcome": "2xx"]) == 3)
        await client.shutdown()
        await endpoint.stop()
        try await peer.stop()
    }
}
