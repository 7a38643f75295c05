import Foundation
import HTTPPool
import HTTPTypes
import LineClient
import PoolMetrics
import PoolTesting
import Synchronization
import Testing

/// What the callers saw.
private final class Account: Sendable {
    let isOver = Atomic<Bool>(false)
    let answered = Atomic<UInt64>(0)
    let refused = Atomic<UInt64>(0)
}

@Suite("A measured client library")
struct StormTests {
    /// How long the storm lasts: STORM_SECONDS, 10 without it.
    private static let seconds = ProcessInfo.processInfo.environment["STORM_SECONDS"].flatMap(Double.init) ?? 10

    @Test("Every reading of a storm adds up, with eight threads that report at the same time")
    func storm() async throws {
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = 12
        configuration.limits.maxIdleConnections = 12
        let adapter = MeasuredLineClient(configuration)
        let client = try InstrumentedClient(adapter, pool: adapter.recorder, name: "lines", registry: PoolRegistry())
        let account = Account()
        var checker = ReadingChecker()
        var readings = 0
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<40 {
                group.addTask {
                    let host = "host\(caller % 5)"
                    let request = HTTPRequest(method: .get, scheme: "http", authority: host, path: "/")
                    let options = RequestOptions(site: CallSite("caller \(caller % 3)"))
                    while !account.isOver.load(ordering: .relaxed) {
                        do {
                            let response = try await client.execute(request, body: .none, options: options)
                            let text = String(decoding: try await response.body.collect(), as: UTF8.self)
                            #expect(text.hasSuffix(host))
                            account.answered.add(1, ordering: .relaxed)
                        } catch let error as PoolError where error.code == .connectFailed {
                            account.refused.add(1, ordering: .relaxed)
                        }
                    }
                }
            }
            let end = Date().addingTimeInterval(Self.seconds)
            while Date() < end {
                let faults = checker.check(client.reading())
                try #require(faults == [], "\(faults)")
                readings += 1
                try await Task.sleep(for: .milliseconds(2))
            }
            account.isOver.store(true, ordering: .relaxed)
            try await group.waitForAll()
        }
        await client.shutdown()
        #expect(checker.checkEnd(client.reading()) == [])
        #expect(adapter.recorder.violations == [])
        let origins = client.reading().origins
        #expect(origins.reduce(0) { $0 + $1.leasesEnded } == account.answered.load(ordering: .relaxed))
        #expect(
            origins.reduce(0) { $0 + $1.acquireFailures[.connectFailed] } == account.refused.load(ordering: .relaxed)
        )
        #expect(origins.reduce(0) { $0 + $1.acquires[.reused] } > 0)
        #expect(origins.reduce(0) { $0 + $1.limitWaits[.connections] } > 0)
        #expect(
            account.answered.load(ordering: .relaxed) > 100 && account.refused.load(ordering: .relaxed) > 0
                && readings > 100
        )
        print("\(readings) readings, \(account.answered.load(ordering: .relaxed)) requests")
    }

    @Test("A report that contradicts another changes no number, and is named")
    func contradiction() throws {
        let recorder = PoolRecorder(backend: PoolBackend(library: "x/1", tls: "none"))
        let measured = try MeasuredPool(recorder, registry: PoolRegistry())
        recorder.record { ledger in
            let request = ledger.submitted(to: Origin(scheme: "http", host: "a", port: 80))
            ledger.leaseEnded(request)
            ledger.acquired(request, on: ConnectionNumber(7))
        }
        #expect(recorder.violations.count == 2)
        var checker = ReadingChecker()
        #expect(checker.check(measured.reading()) == [])
    }

    @Test("What the adapter cannot report is absent from the metrics")
    func absent() async throws {
        let adapter = MeasuredLineClient()
        let client = try InstrumentedClient(adapter, pool: adapter.recorder, name: "lines", registry: PoolRegistry())
        let request = HTTPRequest(method: .get, scheme: "http", authority: "a", path: "/")
        _ = try await client.execute(request)
        let text = String(decoding: Exposition.text([client.reading()], process: nil), as: UTF8.self)
        for family in ["queue_wait_seconds", "stale_retries_total", "resolving", "driver_stall_seconds"] {
            #expect(!text.contains("http_client_pool_\(family)"))
        }
        for family in ["connections{", "limit_waits_total{", "acquires_total{", "connection_lifetime_seconds_bucket{"] {
            #expect(text.contains("http_client_pool_\(family)"))
        }
        await client.shutdown()
    }
}
