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

    /// How many there are, if the first case occurs once, the second twice, and so on.
    private func sum<Key: CountedCase>(_: Key.Type) -> UInt64 {
        (1...UInt64(Key.allCases.count)).reduce(0, +)
    }

    @Test("Every event counts in its own place and nowhere else")
    func everyEvent() throws {
        let site = CallSite("meter test")
        var events: [PoolEvent] = [
            .connectionOpened(.a, took: 2_000_000), .leaseEnded(.a, site: site, held: 3_000_000_000), .staleRetry(.a),
            .responded(.a, waited: 2_000_000_000), .responded(.a, waited: 500_000_000),
        ]
        for (index, kind) in AcquireKind.allCases.enumerated() {
            events += Array(repeating: .acquired(.a, kind, site: site, waited: 1000, queued: 500), count: index + 1)
        }
        for (index, reason) in AcquireFailure.allCases.enumerated() {
            events += Array(
                repeating: .acquireFailed(.a, reason, site: site, waited: 1000, queued: 300),
                count: index + 1
            )
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
        for (index, outcome) in LeaseOutcome.allCases.enumerated() {
            events += Array(repeating: .leaseEnded(.a, outcome, site: site, held: 0), count: index)
        }
        client.report(PoolTurn(events).introducing(0, "a").introducing(1, "b"))

        let a = try origin("http://a:80")
        #expect(AcquireKind.allCases.map { a.acquires[$0] } == [1, 2, 3])
        #expect(
            AcquireFailure.allCases.map { a.acquireFailures[$0] } == Array(1...UInt64(AcquireFailure.allCases.count))
        )
        #expect(
            ConnectFailure.allCases.map { a.connectFailures[$0] } == Array(1...UInt64(ConnectFailure.allCases.count))
        )
        #expect(CloseReason.allCases.map { a.connectionsClosed[$0] } == Array(1...UInt64(CloseReason.allCases.count)))
        #expect(PoolLimit.allCases.map { a.limitWaits[$0] } == Array(1...UInt64(PoolLimit.allCases.count)))
        #expect(LeaseOutcome.allCases.map { a.leases[$0] } == [1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
        #expect((a.connectionsOpened, a.responses, a.staleRetries) == (1, 2, 1))
        #expect(a.responseWaitSeconds == 2.5)
        let b = try origin("http://b:80")
        #expect(b.acquires.total + b.acquireFailures.total + b.connectFailures.total + b.connectionsClosed.total == 0)
        #expect((b.connectionsOpened, b.leases.total, b.staleRetries, b.limitWaits.total) == (0, 0, 0, 0))

        let reading = measured.reading()
        #expect(reading.durations.acquired.count == 6)
        #expect(reading.durations.acquired.sum == 6e-6)
        #expect(reading.durations.queuedAcquired.sum == 3e-6)
        #expect(reading.durations.acquireFailed.count == sum(AcquireFailure.self))
        #expect(abs(reading.durations.queuedFailed.sum - Double(sum(AcquireFailure.self)) * 300e-9) < 1e-12)
        #expect(reading.durations.timeToHead.sum == 2.5)
        #expect(
            (reading.durations.connected.count, reading.durations.connectFailed.count) == (1, sum(ConnectFailure.self))
        )
        #expect(reading.durations.lease.sum == 3)
        #expect(reading.durations.connectionLifetime.count == sum(CloseReason.self))
        #expect(reading.durations.connectionRequests.sum == Double(sum(CloseReason.self) * 7))
        #expect(reading.sites.map(\.label) == ["meter test"])
        #expect(reading.sites.map(\.acquires) == [6])
        #expect(reading.sites.map(\.acquireFailures) == [sum(AcquireFailure.self)])
        #expect(reading.reuseRatio == 5.0 / 6.0)
    }

    @Test("Positions are those of allCases, so no counter is left out of a family")
    func positions() {
        #expect(AcquireKind.allCases.map(\.position) == Array(AcquireKind.allCases.indices))
        #expect(AcquireFailure.allCases.map(\.position) == Array(AcquireFailure.allCases.indices))
        #expect(ConnectFailure.allCases.map(\.position) == Array(ConnectFailure.allCases.indices))
        #expect(CloseReason.allCases.map(\.position) == Array(CloseReason.allCases.indices))
        #expect(PoolLimit.allCases.map(\.position) == Array(PoolLimit.allCases.indices))
        #expect(LeaseOutcome.allCases.map(\.position) == Array(LeaseOutcome.allCases.indices))
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
        var histogram = Histogram(bounds: .waits)
        for value in [0, 100_000, 100_001, 60_000_000_000, 60_000_000_001] as [UInt64] { histogram.observe(value) }
        let cumulative = histogram.cumulative
        #expect(cumulative.first?.bound == 0.0001)
        #expect(cumulative.first?.count == 2)
        #expect(cumulative.dropFirst().first?.count == 3)
        #expect(cumulative.dropLast().last?.bound == 60)
        #expect(cumulative.dropLast().last?.count == 4)
        #expect(cumulative.last?.bound == .infinity)
        #expect(cumulative.last?.count == 5)
        #expect(histogram.count == 5)
    }

    @Test("The bounds are those of the contract, whatever the configuration")
    func bounds() {
        let times = [
            0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
        ]
        let durations = PoolDurations()
        let waits = [
            durations.acquired, durations.acquireFailed, durations.queuedAcquired, durations.queuedFailed,
            durations.connected, durations.connectFailed, durations.timeToHead,
        ]
        for histogram in waits { #expect(histogram.cumulative.map(\.bound) == times + [.infinity]) }
        #expect(durations.lease.cumulative.map(\.bound) == times + [300, .infinity])
        #expect(
            durations.connectionLifetime.cumulative.map(\.bound)
                == [1, 5, 15, 30, 60, 300, 900, 3600, 21600, .infinity]
        )
        #expect(
            durations.connectionRequests.cumulative.map(\.bound) == [1, 2, 5, 10, 25, 100, 1000, 10000, .infinity]
        )
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
        var histogram = Histogram(bounds: .waits)
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
