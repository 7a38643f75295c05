import CurlPool
import HTTPPool
import HTTPTypes
import Logging
import LoopbackUpstream
import PoolMetrics
import ServiceLifecycle
import TestSupport
import Testing

@testable import PoolMetricsBridge

@Suite("The bridge to swift-metrics")
struct MetricsBridgeTests {
    private typealias Series = AddingFactory.Series

    @Test("What a factory has added up after a storm through two pools is what the exposition says, series by series")
    func storm() async throws {
        let upstream = LoopbackUpstream()
        try await upstream.start()
        let registry = PoolRegistry()
        let factory = AddingFactory()
        let bridge = MetricsBridge(registry: registry, factory: factory)
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = 3
        let clients = try ["a", "b"].map { name in
            try InstrumentedClient(CurlClient(configuration), name: name, registry: registry)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, client) in clients.enumerated() {
                for path in ["/fast", "/drop", "/close", "/error", "/slow?ms=2", "/reset"] {
                    let url = "http://\(upstream.authority)\(path)"
                    for _ in 0..<4 {
                        group.addTask {
                            for _ in 0..<10 {
                                _ = try? await client.execute(url, site: CallSite("site \(index) \"\\\n")).body
                                    .collect()
                                bridge.publish()
                            }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let pools = clients.map { ($0.measured, $0.reading()) }
        let process = ProcessReading.current()
        bridge.publish(pools, process: process)
        let page = try ExpositionReader(Exposition.text(pools.map(\.1), process: process))
        #expect(factory.faults == [])
        #expect(page.sum("http_client_pool_leases_total", ["pool": "a"]) > 100)
        #expect(page.sum("http_client_pool_limit_waits_total", ["pool": "b"]) > 0)

        var counters: [Series: Double] = [:]
        var meters: [Series: Double] = [:]
        for sample in page.samples where !sample.name.hasSuffix("_bucket") {
            let series = Series(name: sample.name, labels: sample.labels)
            if page.types[sample.name] == "gauge" {
                meters[series] = sample.value
            } else {
                counters[series] = sample.value
            }
        }
        #expect(Set(factory.counters.keys) == Set(counters.keys))
        for (series, value) in counters {
            let sum = factory.counters[series] ?? -1
            // Sums of seconds differ by the rounding of binary fractions.
            let isWhole = !series.name.contains("_seconds")
            #expect(isWhole ? sum == value : abs(sum - value) <= 1e-9 * max(1, value), "\(series)")
        }
        #expect(factory.meters == meters)
        for client in clients { await client.shutdown(.immediate) }
        await upstream.stop()
    }

    @Test("The last numbers of a pool that ended are published before its series are destroyed")
    func ended() async throws {
        let registry = PoolRegistry()
        let factory = AddingFactory()
        let bridge = MetricsBridge(registry: registry, factory: factory, includesProcess: false)
        let pool = try RecordedPool("a", registry)
        pool.acquireAndEnd(3)
        bridge.publish()
        #expect(pool.acquires(in: factory) == 3)
        pool.acquireAndEnd(2)
        await pool.measured.shutdown()
        bridge.publish()
        #expect(pool.acquires(in: factory) == 5)
        bridge.publish()
        #expect(pool.acquires(in: factory) == nil)
        #expect(factory.counters.keys.allSatisfy { $0.labels["pool"] == nil })
        #expect(factory.meters.keys.allSatisfy { $0.labels["pool"] == nil })
        #expect(factory.faults == [])
    }

    @Test("A pool of the same name begins at 0, even if it has counted more than the one before")
    func sameName() async throws {
        let registry = PoolRegistry()
        let factory = AddingFactory()
        let bridge = MetricsBridge(registry: registry, factory: factory, includesProcess: false)
        let first = try RecordedPool("a", registry)
        first.acquireAndEnd(3)
        bridge.publish()
        await first.measured.shutdown()
        let second = try RecordedPool("a", registry)
        second.acquireAndEnd(7)
        bridge.publish()
        #expect(second.acquires(in: factory) == 7)
        #expect(factory.destroyed.contains { $0.name == "http_client_pool_acquires_total" })
        #expect(factory.faults == [])
        await second.measured.shutdown()
    }

    @Test("The bridge does not keep a pool alive")
    func weak() throws {
        let registry = PoolRegistry()
        let factory = AddingFactory()
        let bridge = MetricsBridge(registry: registry, factory: factory, includesProcess: false)
        weak var measured: MeasuredPool?
        do {
            let pool = try RecordedPool("a", registry)
            measured = pool.measured
            bridge.publish()
        }
        #expect(measured == nil)
        bridge.publish()
        #expect(factory.counters.keys.allSatisfy { $0.labels["pool"] == nil })
        #expect(factory.faults == [])
    }

    @Test("The service publishes at each interval, and once more when its group shuts down")
    func service() async throws {
        let registry = PoolRegistry()
        let factory = AddingFactory()
        let pool = try RecordedPool("a", registry)
        let bridge = MetricsBridge(
            registry: registry,
            factory: factory,
            interval: .milliseconds(5),
            includesProcess: false
        )
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let group = ServiceGroup(services: [bridge], logger: quiet)
        async let run: Void = group.run()
        try await eventually("it publishes") { pool.acquires(in: factory) != nil }
        pool.acquireAndEnd(4)
        try await eventually("it publishes again") { pool.acquires(in: factory) == 4 }
        await group.triggerGracefulShutdown()
        try await run

        let last = AddingFactory()
        let rare = MetricsBridge(registry: registry, factory: last, interval: .seconds(3600), includesProcess: false)
        let task = Task { await rare.run() }
        try await eventually("it publishes at the start") { pool.acquires(in: last) == 4 }
        pool.acquireAndEnd(1)
        task.cancel()
        await task.value
        #expect(pool.acquires(in: last) == 5)
        await pool.measured.shutdown()
    }
}

/// A pool whose reports the test makes.
private struct RecordedPool {
    let recorder: PoolRecorder
    let measured: MeasuredPool
    private let origin = Origin(scheme: "http", host: "a", port: 80)

    init(_ name: String, _ registry: PoolRegistry) throws {
        recorder = PoolRecorder(backend: PoolBackend(library: "test/1", tls: "none"))
        measured = try MeasuredPool(recorder, name: name, registry: registry)
    }

    /// So many requests on connections of their own.
    func acquireAndEnd(_ count: Int) {
        for _ in 0..<count {
            recorder.record {
                let request = $0.submitted(to: origin)
                let connection = $0.connectionOpening(to: origin)
                $0.connectionOpened(connection)
                $0.acquired(request, on: connection)
                $0.leaseEnded(request, .success)
                $0.connectionClosed(connection, .responseClose)
            }
        }
    }

    func acquires(in factory: AddingFactory) -> Double? {
        factory.counter(
            "http_client_pool_acquires_total",
            ["pool": measured.name, "origin": "http://a:80", "kind": "new"]
        ) ?? (factory.counters.keys.contains { $0.labels["pool"] == measured.name } ? 0 : nil)
    }
}
