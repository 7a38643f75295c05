import HTTPPool
import Synchronization
import TestSupport
import Testing

@testable import PoolMetrics

/// A meter whose clock the test sets.
private final class Rig {
    private let pool = FakePool()
    let meter: PoolMeter

    init(_ configuration: PoolConfiguration = PoolConfiguration()) {
        let time = Ticking()
        meter = PoolMeter(configuration: configuration) { time.now }
        clock = time
    }

    private let clock: Ticking

    private final class Ticking: Sendable {
        private let seconds = Mutex(0.0)
        var now: MonotonicTime {
            MonotonicTime(nanoseconds: 1_000_000_000_000 + UInt64(seconds.withLock { $0 } * 1e9))
        }
        func advance(_ by: Double) { seconds.withLock { $0 += by } }
    }

    var now: MonotonicTime { clock.now }

    func pass(_ seconds: Double) { clock.advance(seconds) }

    func turn(_ kinds: [PoolEvent.Kind] = [], _ change: (inout PoolTurn) -> Void = { _ in }) {
        var turn = PoolTurn(now: now)
        turn.events = kinds.map { PoolEvent($0, .a, at: now) }
        change(&turn)
        meter.poolDidTurn(turn)
    }

    func report() -> PoolReport {
        let details = meter.details(pool, oldest: 100)
        return PoolReport(PoolReading(name: "test", pool: pool, details.snapshot), details.trends, [])
    }

    /// So many minutes of requests that take 20 ms.
    func usualTraffic(minutes: Int) {
        turn { $0 = $0.introducing(0, "a") }
        for _ in 0..<minutes * 60 {
            pass(1)
            for _ in 0..<5 { request(0.02) }
        }
    }

    func request(_ seconds: Double, _ outcome: LeaseOutcome = .success, _ kind: AcquireKind = .reused) {
        let time = UInt64(seconds * 1e9)
        turn([
            .acquired(kind, waited: 0, queued: 0), .responded(waited: time), .leaseEnded(outcome, held: time),
        ])
    }
}

private func kinds(_ report: PoolReport) -> [PoolCondition] { report.conditions.map(\.condition) }

@Suite("The report of a pool")
struct PoolReportTests {
    @Test(
        "An origin that refuses is down after three seconds, with the error's words, and was down when it responds again"
    )
    func down() throws {
        let rig = Rig()
        rig.usualTraffic(minutes: 3)
        rig.pass(80)
        let began = rig.now
        for _ in 0..<5 {
            rig.turn([.connectFailed(.refused, took: 1000)]) {
                $0.failures = [PoolTurn.OriginFailure(.a, "connection refused by 10.0.0.1")]
            }
            rig.pass(1)
        }
        let report = rig.report()
        let episode = try #require(report.conditions.first)
        #expect(kinds(report) == [.upstreamDown])
        #expect(episode.origin == "http://a:80")
        // Three failures show it, and it is down since the first.
        #expect(episode.began == began)
        #expect(report.origins[0].lastError?.words == "connection refused by 10.0.0.1")
        #expect(report.origins[0].recent[.refused] == 5)
        let event = try #require(report.events.first { $0.kind == .connectFailed(.refused) })
        #expect(event.count == 5 && event.words == "connection refused by 10.0.0.1")
        #expect(report.events.contains { $0.kind == .conditionBegan(.upstreamDown) && $0.origin == "http://a:80" })

        rig.turn([.connectionOpened(took: 1000)])
        rig.request(0.02)
        rig.pass(20)
        let after = rig.report()
        #expect(after.conditions.isEmpty)
        #expect(after.pastConditions.map(\.condition) == [.upstreamDown])
        #expect(after.origins[0].lastSuccess == MonotonicTime(nanoseconds: rig.now.nanoseconds - 20_000_000_000))
    }

    @Test("An origin is slow by its responses; what is usual is that of the minutes without trouble")
    func slow() throws {
        let rig = Rig()
        rig.usualTraffic(minutes: 5)
        #expect(rig.report().conditions.isEmpty)
        for _ in 0..<70 {
            rig.pass(1)
            rig.request(2)
        }
        let report = rig.report()
        #expect(kinds(report) == [.upstreamSlow])
        let origin = try #require(report.origins.first)
        #expect(abs((origin.usual ?? 0) - 0.02) < 0.002)
        #expect(abs((origin.respondsIn ?? 0) - 2) < 0.15)
        for _ in 0..<600 {
            rig.pass(1)
            rig.request(2)
        }
        // Trouble does not become usual.
        #expect(kinds(rig.report()) == [.upstreamSlow])
        #expect(abs((rig.report().origins[0].usual ?? 0) - 0.02) < 0.002)
    }

    @Test("An origin that never responds is slow by the age of the requests that wait for it")
    func hanging() {
        let rig = Rig()
        rig.usualTraffic(minutes: 5)
        for number in 0..<5 {
            let key = RequestKey(number: RequestNumber(UInt64(9000 + number)), index: Int32(number))
            rig.turn { turn in
                turn.events = [
                    PoolEvent(.acquired(.reused, waited: 0, queued: 0), .a, at: turn.now, request: key)
                ]
            }
        }
        for _ in 0..<6 {
            rig.pass(1)
            rig.turn()
        }
        let report = rig.report()
        #expect(kinds(report) == [.upstreamSlow])
        #expect(report.origins[0].respondsIn == 6)
    }

    @Test(
        "Saturation is noted by turn, with the limit, its length and how many waited, and lists the origin at its limit"
    )
    func saturation() throws {
        var configuration = PoolConfiguration()
        configuration.limits.maxConnectionsPerOrigin = 2
        let rig = Rig(configuration)
        rig.turn { $0 = $0.introducing(0, "a") }
        rig.pass(1.5)
        let began = rig.now
        rig.turn([.queued(behind: .connectionsPerOrigin, waited: 0), .queued(behind: .connectionsPerOrigin, waited: 0)])
        {
            $0 = $0.levels(0, active: 2, queued: 2)
            $0.saturation = .connectionsPerOrigin
        }
        rig.pass(2.25)
        var report = rig.report()
        #expect(kinds(report) == [.saturatedPerOrigin])
        #expect(report.conditions.map(\.origin) == ["http://a:80"])
        #expect(report.conditions.map(\.began) == [began])
        #expect(report.saturations.map(\.waited) == [2])
        rig.turn { $0 = $0.levels(0, active: 2) }
        let ended = rig.now
        rig.pass(7)
        report = rig.report()
        #expect(report.conditions.isEmpty)
        #expect(
            report.events.map(\.kind) == [
                .saturationBegan(.connectionsPerOrigin, value: 2),
                .saturationEnded(.connectionsPerOrigin, lasted: ended - began, waited: 2),
            ]
        )
        #expect(report.events.map(\.first) == [began, ended])
        // An origin is looked at once a second.
        #expect(report.pastConditions.map(\.began) == [began])
        #expect((ended - began - 1_000_000_000...ended - began).contains(report.pastConditions.first?.lasted ?? 0))
    }

    @Test("A turn that took two seconds is a stall that is over; one that goes on is seen by whoever looks")
    func stall() {
        let rig = Rig()
        rig.turn { $0 = $0.introducing(0, "a") }
        let began = rig.now
        rig.pass(2)
        rig.turn { $0.began = began }
        #expect(rig.report().events.map(\.kind) == [.conditionBegan(.stalled)])
        rig.pass(1)
        let report = rig.report()
        #expect(
            report.events.map(\.kind) == [.conditionBegan(.stalled), .conditionEnded(.stalled, lasted: 2_000_000_000)]
        )
        #expect(report.pastConditions.map(\.began) == [began])
    }

    @Test("Reloads, changed limits, full queues, unusual closes and the shutdown are events")
    func otherEvents() {
        let rig = Rig()
        rig.turn { $0 = $0.introducing(0, "a") }
        rig.meter.noteReload(succeeded: false)
        rig.pass(30)
        #expect(kinds(rig.report()) == [.reloadFailed])
        #expect(rig.report().conditions.first?.lasted == 30_000_000_000)
        rig.meter.noteReload(succeeded: true)
        rig.turn { $0.configuration = PoolConfiguration() }
        rig.turn([.acquireFailed(.rejected, waited: 0, queued: 0)])
        for reason in CloseReason.allCases {
            rig.turn([.connectionClosed(reason, lifetime: 1, requests: 1)])
        }
        rig.pass(1)
        rig.turn { $0.isEnding = true }
        rig.pass(1)
        let report = rig.report()
        #expect(kinds(report) == [.ending])
        #expect(
            report.events.map(\.kind) == [
                .reloadFailed, .reloaded, .limitsChanged, .queueFull, .connectionClosed(.unexpectedData),
                .connectionClosed(.unresponsive), .connectionClosed(.requestTimeout), .connectionClosed(.error),
                .shutdown,
            ]
        )
    }
}
