import CurlPool
import Glibc
import HTTPPool
import LoopbackUpstream
import PoolMetrics
import TestSupport
import Testing

@Suite("The past of a pool")
struct PastTests {
    let client: CurlClient
    let measured: MeasuredPool
    let upstream = LoopbackUpstream()

    init() async throws {
        var configuration = PoolConfiguration()
        configuration.timeouts.read = .milliseconds(300)
        configuration.limits.maxConnections = 1
        client = try CurlClient(configuration)
        measured = try MeasuredPool(client, registry: PoolRegistry())
        try await upstream.start()
    }

    private func end() async {
        await measured.shutdown()
        await upstream.stop()
    }

    private func origin(_ authority: String) throws -> OriginReport {
        try #require(measured.report().origins.first { $0.label == "http://\(authority)" })
    }

    @Test("keeps the words of the last error of an origin, without a path or a query, and when it last succeeded")
    func errors() async throws {
        let refusing = try RefusingPort()
        let dead = "127.0.0.1:\(refusing.port)"
        await #expect(throws: PoolError.self) { try await client.execute("http://\(dead)/p4th?token=s3cret").text() }
        let connect = try #require(try origin(dead).lastError)
        #expect(connect.words == "Connection refused")
        let event = try #require(measured.report().events.first { $0.kind == .connectFailed(.refused) })
        #expect(event.origin == "http://\(dead)" && event.words == connect.words)

        let url = "http://\(upstream.authority)"
        _ = try await client.execute("\(url)/fast?token=s3cret").text()
        let success = try #require(try origin(upstream.authority).lastSuccess)
        #expect(success <= MonotonicTime.now() && success > connect.time)
        #expect(try origin(upstream.authority).lastError == nil)
        await #expect(throws: PoolError.self) { try await client.execute("\(url)/hang?token=s3cret").text() }
        #expect(try origin(upstream.authority).lastError?.words == "no byte of the response arrived within 0.3 s")
        await #expect(throws: PoolError.self) { try await client.execute("\(url)/drop?token=s3cret").text() }
        let lost = try #require(try origin(upstream.authority).lastError?.words)
        #expect(lost.contains("connection") && !lost.contains("s3cret") && !lost.contains("drop"), "\(lost)")
        #expect(measured.report().events.contains { $0.kind == .connectionClosed(.requestTimeout) })
        await end()
    }

    @Test("has no error for a request that the caller cancelled or whose wait in the queue was too long")
    func callers() async throws {
        let url = "http://\(upstream.authority)"
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = 1
        configuration.timeouts.acquire = .milliseconds(10)
        let patient = try CurlClient(configuration)
        let measured = try MeasuredPool(patient, registry: PoolRegistry())
        let running = Task { try await patient.execute("\(url)/hang").text() }
        try await eventually("it runs") { measured.reading().levels.requests.inFlight == 1 }
        await #expect(throws: PoolError.self) { try await patient.execute("\(url)/fast").text() }
        running.cancel()
        _ = await running.result
        let origin = try #require(measured.report().origins.first)
        #expect(origin.recent.gaveUp == 1)
        #expect(origin.lastError == nil)
        await measured.shutdown()
        await end()
    }

    @Test("has a stall of the pool's thread, by whoever looks meanwhile and as an event afterwards, and its length")
    func stall() async throws {
        let url = "http://\(upstream.authority)/fast"
        _ = try await client.execute(url).text()
        let blocking = Task(executorPreference: client.executor) {
            // As code that blocks the pool's thread by mistake.
            _ = usleep(1_500_000)
        }
        try await eventually("a reader sees it") {
            measured.report().conditions.map(\.condition) == [.stalled]
        }
        await blocking.value
        try await eventually("it is over") {
            measured.report().pastConditions.map(\.condition) == [.stalled]
        }
        let episode = try #require(measured.report().pastConditions.first)
        #expect(episode.lasted >= 1_000_000_000)
        #expect(
            measured.report().events.map(\.kind).contains {
                if case .conditionEnded(.stalled, _) = $0 { true } else { false }
            }
        )
        await end()
    }

    @Test("has an episode of saturation by the turns of the pool, and the shutdown")
    func saturation() async throws {
        let url = "http://\(upstream.authority)"
        _ = try await client.execute("\(url)/fast").text()
        let first = MonotonicTime.now()
        async let slow = client.execute("\(url)/slow?ms=200").text()
        try await eventually("it runs") { measured.reading().levels.requests.inFlight == 1 }
        async let waiting = client.execute("\(url)/fast").text()
        _ = try await (slow, waiting)
        let episode = try #require(measured.report(oldest: 0).saturations.first)
        #expect(episode.limit == .connections && episode.waited == 1)
        #expect(episode.began > first && episode.lastHeld > episode.began && episode.lastHeld < MonotonicTime.now())
        #expect(measured.report().events.map(\.kind) == [.saturationBegan(.connections, value: 1)])
        await measured.shutdown()
        #expect(measured.report().events.map(\.kind).contains(.shutdown))
        await upstream.stop()
    }

    @Test("shows who holds connections by origin and call site, and since when the oldest of an origin is queued")
    func holdings() async throws {
        let url = "http://\(upstream.authority)"
        _ = try await client.execute("\(url)/fast").text()
        let response = try await client.execute("\(url)/large?bytes=100000000", site: "export")
        let before = MonotonicTime.now()
        let queued = Task { try await client.execute("\(url)/fast", site: "catalog").text() }
        try await eventually("it is queued, and our own code holds the connection") {
            let report = measured.report()
            return report.holdings.map(\.caller) == [1] && report.origins.first?.oldestQueued != nil
        }
        let report = measured.report()
        #expect(report.holdings.map(\.site) == ["export"])
        #expect(report.holdings.map(\.origin) == ["http://\(upstream.authority)"])
        let since = try #require(report.origins.first?.oldestQueued)
        #expect(since >= before && since <= MonotonicTime.now())
        response.body.discard()
        _ = try await queued.value
        #expect(measured.report().holdings.isEmpty)
        await end()
    }
}
