import Foundation
import HTTPPool
import TestSupport
import Testing

@testable import PoolMetrics

@Suite("What a pool tells is added up")
struct MeterTests {
    let client = FakePool()
    let measured: InstrumentedClient

    init() throws { measured = try InstrumentedClient(client, name: "test", registry: PoolRegistry()) }

    func origin(_ label: String) throws -> OriginReading {
        try #require(measured.reading().origins.first { $0.label == label })
    }

    @Test("Every event counts in its own place and nowhere else")
    func everyEvent() throws {
        let site = CallSite("meter test")
        var events: [PoolEvent] = [
            .connectionOpened(.a, took: 2_000_000), .leaseEnded(.a, site, held: 3_000_000_000), .staleRetry(.a),
        ]
        for (index, kind) in AcquireKind.allCases.enumerated() {
            events += Array(repeating: .acquired(.a, kind, waited: 1000, queued: 500), count: index + 1)
        }
        for (index, reason) in AcquireFailure.allCases.enumerated() {
            events += Array(repeating: .acquireFailed(.a, reason, waited: 1000), count: index + 1)
        }
        for (index, reason) in ConnectFailure.allCases.enumerated() {
            events += Array(repeating: .connectFailed(.a, reason, took: 1000), count: index + 1)
        }
        for (index, reason) in CloseReason.allCases.enumerated() {
            events += Array(repeating: .connectionClosed(.a, reason, lifetime: 1000, requests: 7), count: index + 1)
        }
        for (index, limit) in PoolLimit.allCases.enumerated() {
            events += Array(repeating: .queued(.a, behind: limit), count: index + 1)
        }
        client.report(PoolTurn(events).introducing(0, "a").introducing(1, "b"))

        let a = try origin("http://a:80")
        #expect(AcquireKind.allCases.map { a.acquires[$0] } == [1, 2, 3])
        #expect(AcquireFailure.allCases.map { a.acquireFailures[$0] } == [1, 2, 3, 4, 5])
        #expect(ConnectFailure.allCases.map { a.connectFailures[$0] } == [1, 2, 3, 4, 5, 6, 7])
        #expect(CloseReason.allCases.map { a.connectionsClosed[$0] } == Array(1...12))
        #expect(PoolLimit.allCases.map { a.limitWaits[$0] } == [1, 2])
        #expect((a.connectionsOpened, a.leasesEnded, a.staleRetries) == (1, 1, 1))
        let b = try origin("http://b:80")
        #expect(b.acquires.total + b.acquireFailures.total + b.connectFailures.total + b.connectionsClosed.total == 0)
        #expect((b.connectionsOpened, b.leasesEnded, b.staleRetries, b.limitWaits.total) == (0, 0, 0, 0))

        let reading = measured.reading()
        #expect(reading.durations.acquired.count == 6)
        #expect(reading.durations.acquired.sum == 6e-6)
        #expect(reading.durations.queueWait.sum == 3e-6)
        #expect(AcquireFailure.allCases.map { reading.durations.acquireFailed($0).count } == [1, 2, 3, 4, 5])
        #expect((reading.durations.connected.count, reading.durations.connectFailed.count) == (1, 28))
        #expect(reading.durations.lease.sum == 3)
        #expect(reading.durations.connectionLifetime.count == 78)
        #expect(reading.durations.connectionRequests.sum == 78 * 7)
        #expect(reading.sites.map(\.label) == ["meter test"])
        #expect(reading.sites.map(\.leasedSeconds) == [3])
        #expect(reading.reuseRatio == 5.0 / 6.0)
    }

    @Test("Positions are those of allCases, so no counter is left out of a family")
    func positions() {
        #expect(AcquireKind.allCases.map(\.position) == Array(0..<3))
        #expect(AcquireFailure.allCases.map(\.position) == Array(0..<5))
        #expect(ConnectFailure.allCases.map(\.position) == Array(0..<7))
        #expect(CloseReason.allCases.map(\.position) == Array(0..<12))
        #expect(PoolLimit.allCases.map(\.position) == Array(0..<2))
    }

    @Test("An origin that a turn does not name keeps its levels")
    func levelsStay() throws {
        client.report(PoolTurn().introducing(0, "a").introducing(1, "b").levels(0, idle: 2).levels(1, active: 3))
        client.report(PoolTurn().levels(0, idle: 1))
        #expect(try origin("http://a:80").levels.connections.idle == 1)
        #expect(try origin("http://b:80").levels.connections.active == 3)
        #expect(measured.reading().levels.connections.total == 4)
    }

    @Test("A number that is introduced anew counts for its new origin, and leaves no levels behind")
    func reusedNumber() throws {
        client.report(PoolTurn([.connectionOpened(.a, took: 1)]).introducing(0, "a").levels(0, idle: 2))
        client.report(PoolTurn([.connectionOpened(.a, took: 1)]).introducing(0, "b").levels(0, idle: 5))
        client.report(PoolTurn([.connectionOpened(.a, took: 1)]).introducing(0, "a"))
        #expect(try origin("http://a:80").connectionsOpened == 2)
        #expect(try origin("http://a:80").levels.connections.idle == 0)
        #expect(try origin("http://b:80").connectionsOpened == 1)
        #expect(try origin("http://b:80").levels.connections.idle == 0)
    }

    @Test("The sixty-fifth origin and all later ones are other, their levels added up")
    func originCap() throws {
        var turn = PoolTurn()
        for index in 0..<70 as Range<Int32> { turn = turn.introducing(index, "h\(index)").levels(index, idle: 1) }
        turn.events = [.staleRetry(OriginID(index: 63)), .staleRetry(OriginID(index: 64))]
        client.report(turn)
        #expect(measured.reading().origins.count == 65)
        #expect(measured.reading().origins.last?.label == "other")
        #expect(try origin("other").levels.connections.idle == 6)
        #expect(try origin("other").staleRetries == 1)
        client.report(PoolTurn().levels(66, idle: 4).levels(67))
        #expect(try origin("other").levels.connections.idle == 8)
        client.report(PoolTurn().introducing(66, "h3"))
        #expect(try origin("other").levels.connections.idle == 4)
        #expect(try origin("http://h3:80").levels.connections.idle == 1)
        client.report(PoolTurn().levels(66, idle: 2))
        #expect(try origin("http://h3:80").levels.connections.idle == 3)
    }

    @Test("The thirty-third call site and all later ones are other, and so is one that is named other")
    func siteCap() throws {
        var turn = PoolTurn().levels(CallSite("other"), queued: 1)
        for index in 0..<40 { turn = turn.levels(CallSite("cap \(index)"), queued: 1) }
        client.report(turn)
        let sites = measured.reading().sites
        #expect(sites.count == 33)
        #expect(sites.filter { $0.label == "other" }.map(\.levels.queued) == [9])
        #expect(sites.reduce(0) { $0 + $1.levels.queued } == 41)
    }

    @Test("What a pool says of an origin that it never introduced is other")
    func unknownOrigin() throws {
        client.report(PoolTurn([.staleRetry(OriginID(index: 3))]).levels(5, queued: 2))
        #expect(try origin("other").staleRetries == 1)
        #expect(try origin("other").levels.requests.queued == 2)
    }

    @Test("A value on a bound is in the bucket of that bound, and one above all bounds in the last")
    func buckets() {
        var histogram = Histogram(bounds: .durations(acquireTimeout: nil))
        for value in [0, 100_000, 100_001, 30_000_000_000, 30_000_000_001] as [UInt64] { histogram.observe(value) }
        let cumulative = histogram.cumulative
        #expect(cumulative.first?.bound == 0.0001)
        #expect(cumulative.first?.count == 2)
        #expect(cumulative.dropFirst().first?.count == 3)
        #expect(cumulative.dropLast().last?.bound == 30)
        #expect(cumulative.dropLast().last?.count == 4)
        #expect(cumulative.last?.bound == .infinity)
        #expect(cumulative.last?.count == 5)
        #expect(histogram.count == 5)
    }

    @Test("The acquire timeout is among the bounds, once and in order")
    func acquireTimeoutBound() {
        func bounds(_ timeout: Duration?) -> [Double] {
            PoolDurations(acquireTimeout: timeout).acquired.cumulative.map(\.bound)
        }
        #expect(bounds(nil).count == 18)
        #expect(bounds(.seconds(30)) == bounds(nil))
        #expect(bounds(.zero) == bounds(nil))
        #expect(bounds(.seconds(3)) == bounds(nil).prefix(14) + [3.0] + bounds(nil).suffix(4))
        #expect(bounds(.seconds(60)).suffix(3) == [30, 60, .infinity])
    }

    @Test("A turn's configuration is in force from that turn on, and counted and dated")
    func configuration() throws {
        let made = measured.reading()
        #expect(made.configuration == PoolConfiguration())
        #expect((made.configurationChanges, made.configurationChanged) == (0, nil))
        #expect(made.configurationAgeSeconds == nil)
        let now = Date().timeIntervalSince1970
        #expect((now - 60...now).contains(made.configurationSince))

        var turn = PoolTurn([.acquired(.a, .new, waited: 1, queued: 0)]).introducing(0, "a")
        client.report(turn)
        #expect(measured.reading().configurationSince == made.configurationSince)
        turn.now = MonotonicTime(nanoseconds: 7)
        turn.configuration = made.configuration
        turn.configuration?.timeouts.acquire = .seconds(3)
        client.report(turn)
        let changed = measured.reading()
        #expect(changed.configuration == turn.configuration)
        #expect((changed.configurationChanges, changed.configurationChanged) == (1, turn.now))
        #expect(changed.configurationSince >= now && changed.configurationSince <= Date().timeIntervalSince1970)
        #expect(try #require(changed.configurationAgeSeconds) > 0)
        // A bound that came or went would make another series of the same histogram.
        #expect(changed.durations.acquired.cumulative.map(\.bound) == made.durations.acquired.cumulative.map(\.bound))
        #expect(changed.durations.acquired.count == 2)

        turn.reset()
        client.report(turn)
        #expect(measured.reading().configuration.timeouts.acquire == .seconds(3))
        #expect(measured.reading().configurationChanges == 1)
    }

    @Test("A sum does not wrap around where 64 bits of nanoseconds end")
    func hugeSum() {
        var histogram = Histogram(bounds: .durations(acquireTimeout: nil))
        histogram.observe(.max)
        histogram.observe(.max)
        #expect(histogram.sum == 2 * Double(UInt64.max) / 1e9)
    }

    @Test("A reading can be printed, with every count by its name")
    func printing() throws {
        client.report(PoolTurn([.acquired(.a, .reused, waited: 1, queued: 0)]).introducing(0, "a"))
        var text = ""
        dump(measured.reading(), to: &text)
        let a = try origin("http://a:80")
        #expect(Mirror(reflecting: a.acquires).children.map(\.label) == ["new", "reused", "multiplexed"])
        #expect(text.contains("connect_failed"))
    }
}
