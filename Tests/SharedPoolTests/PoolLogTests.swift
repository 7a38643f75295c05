import CurlPool
import HTTPPool
import Logging
import LoopbackUpstream
import PoolMetrics
import Synchronization
import TestSupport
import Testing

@testable import SharedPool

@Suite("The log of a pool")
struct PoolLogTests {
    @Test(
        "The service of a saturated client logs that it is, that it was when it ends, and the totals; no line for a request"
    )
    func saturation() async throws {
        let upstream = LoopbackUpstream()
        try await upstream.start()
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = 1
        let client = try InstrumentedClient(CurlClient(configuration), name: "small", registry: PoolRegistry())
        let log = LogLines()
        let url = "http://\(upstream.authority)"
        _ = try await client.execute("\(url)/fast").text()
        let requests = (0..<3).map { _ in Task { _ = try? await client.execute("\(url)/hang?token=s3cret") } }
        try await eventually("two wait") { client.reading().levels.requests.queued == 2 }
        #expect(log.lines.isEmpty)
        let run = Task { await client.run(logger: log.logger()) }
        try await eventually("it says so; \(log.lines)") { !log.lines.isEmpty }
        for request in requests { request.cancel() }
        for request in requests { await request.value }
        run.cancel()
        await run.value
        #expect(log.lines.map(\.text.first) == ["s", "n", "p"])
        #expect(log.lines.map(\.level) == [.warning, .warning, .info])
        #expect(log.lines.allSatisfy { $0.metadata["pool"] == "small" && !$0.text.contains("s3cret") })
        #expect(log.lines.dropLast().allSatisfy { $0.metadata["limit"] == "connections" })
        #expect(log.lines.first?.text == "saturated: all 1 connections are taken")
        #expect(log.lines.dropLast().last?.metadata["waited"] == "2")
        let totals = PoolTotals(client.reading())
        // Whether one of those that waited got the connection of another that was cancelled is a race.
        #expect(totals.acquires + totals.failures == 4 && totals.acquires >= 2 && totals.reused >= 1)
        #expect(totals.responses == 1 && totals.opened == totals.closed && totals.left == 0)
        #expect(log.lines.last?.text.hasPrefix("pool ended: \(totals.acquires) requests got a connection, ") == true)
        #expect(
            log.lines.last?.metadata == [
                "pool": "small", "acquires": "\(totals.acquires)", "reused": "\(totals.reused)",
                "acquire_failures": "\(totals.failures)", "responses": "1", "connections_opened": "\(totals.opened)",
                "connections_closed": "\(totals.closed)",
            ]
        )
        await upstream.stop()
    }

    @Test("Each line has its numbers in words and as metadata")
    func texts() {
        let log = LogLines()
        let lease = NotableEvent.OverdueLease(
            number: RequestNumber(1),
            connection: nil,
            site: "catalog",
            phase: .heldByCaller,
            age: 70_000_000_000,
            still: 61_000_000_000
        )
        let lines: [PoolWatch.Line] = [
            .saturated(.connectionsPerOrigin, value: 4, queued: 3),
            .relieved(.streams, lasted: 34_040_000_000, waited: 1, unreported: 2),
            .overdue(lease, origin: "http://a:80"),
            .moreOverdue(12),
        ]
        for line in lines { line.log(to: log.logger(), pool: "shared") }
        #expect(
            log.lines.map(\.text) == [
                "saturated: an origin has all 4 connections that it may have",
                "no longer saturated: after 34.0 s, in which 1 request had to wait",
                "overdue lease: no byte has moved for 61.0 s; our own code is to move the next one",
                "overdue leases: 12 more",
            ]
        )
        #expect(
            log.lines.map(\.metadata) == [
                ["pool": "shared", "limit": "connections_per_origin", "queued": "3"],
                ["pool": "shared", "limit": "streams", "seconds": "34.0", "waited": "1", "unreported": "2"],
                [
                    "pool": "shared", "origin": "http://a:80", "site": "catalog", "phase": "held_by_caller",
                    "age": "70.0",
                ],
                ["pool": "shared"],
            ]
        )
    }

    @Test("An overdue lease of a real pool is observed with its origin, call site and phase")
    func observation() throws {
        let now = Mutex(MonotonicTime(nanoseconds: 1_000_000_000_000))
        let clock: @Sendable () -> MonotonicTime = { now.withLock { $0 } }
        let recorder = PoolRecorder(backend: PoolBackend(library: "test/1", tls: "none"), clock: clock)
        let measured = try MeasuredPool(recorder, name: "recorded", registry: PoolRegistry())
        // The meter reads the clock of the system, so the lease must be old by that one.
        let age: UInt64 = 61_000_000_000
        let began = MonotonicTime(nanoseconds: MonotonicTime.now().nanoseconds - age)
        now.withLock { $0 = began }
        let origin = Origin(scheme: "https", host: "a", port: 443)
        recorder.record {
            let request = $0.submitted(to: origin, site: "catalog")
            let connection = $0.connectionOpening(to: origin)
            $0.connectionOpened(connection)
            $0.acquired(request, on: connection)
            $0.requestSent(request)
        }
        var last: UInt64 = 0
        let observation = measured.observe(after: &last)
        let event = try #require(observation.events.first)
        guard case .overdueLease(let lease) = event.kind else {
            Issue.record("\(event)")
            return
        }
        #expect(event.origin == "https://a:443" && lease.site == "catalog")
        #expect(lease.phase == .waitingForHead)
        #expect(lease.age >= age && lease.still == lease.age)
        #expect(observation.events.filter { $0.origin != nil }.count == 1)
        #expect(measured.observe(after: &last).events.isEmpty)
    }
}
