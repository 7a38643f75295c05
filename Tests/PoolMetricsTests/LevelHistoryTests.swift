import HTTPPool
import Testing

@testable import PoolMetrics

private func at(_ milliseconds: UInt64) -> MonotonicTime {
    MonotonicTime(nanoseconds: 1_000_000_000_000 + milliseconds * 1_000_000)
}

private func levels(_ change: (inout OriginLevels) -> Void) -> OriginLevels {
    var levels = OriginLevels()
    change(&levels)
    return levels
}

@Suite("Peaks")
struct PeakTests {
    private func queued(_ count: Int) -> PoolPeaks { PoolPeaks(levels { $0.requests.queued = count }, unreported: 0) }

    @Test("A peak stays for the running second and 60 whole ones, whoever reads it")
    func window() {
        var peak = PeakWindow()
        peak.set(queued(7), at: at(500))
        peak.set(queued(0), at: at(600))
        for _ in 0..<3 { #expect(peak.highest(at: at(700)).queued == 7) }
        #expect(peak.highest(at: at(60_999)).queued == 7)
        #expect(peak.highest(at: at(61_000)).queued == 0)
        #expect(peak.highest(at: at(500_000)).queued == 0)
    }

    @Test("A level that lasts is the peak of every second in which it lasts")
    func lasting() {
        var peak = PeakWindow()
        peak.set(queued(3), at: at(0))
        #expect(peak.highest(at: at(10 * 60_000)).queued == 3)
        peak.set(queued(1), at: at(10 * 60_000 + 100))
        #expect(peak.highest(at: at(10 * 60_000 + 59_000)).queued == 3)
        #expect(peak.highest(at: at(11 * 60_000 + 2000)).queued == 1)
    }

    @Test("Whatever the levels and the times, the peak is that of a model that keeps everything")
    func model() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            var peak = PeakWindow()
            var changes: [(time: UInt64, level: Int)] = []
            var time: UInt64 = 0
            for _ in 0..<40 {
                time += UInt64.random(in: 0...5000, using: &random) * UInt64.random(in: 0...4, using: &random)
                let level = Int.random(in: 0...9, using: &random)
                peak.set(queued(level), at: at(time))
                changes.append((time, level))
                let now = time + UInt64.random(in: 0...70_000, using: &random)
                let begin = now / 1000 < 60 ? 0 : (now / 1000 - 60) * 1000
                let before = changes.last { $0.time < begin }?.level ?? 0
                let expected = changes.filter { $0.time >= begin }.map(\.level).reduce(before, max)
                if peak.highest(at: at(now)).queued != expected {
                    Issue.record(
                        "\(peak.highest(at: at(now)).queued) instead of \(expected) at \(now) after \(changes)"
                    )
                    return
                }
            }
        }
    }

    @Test("A peak within a second is not missed, and is never below the level")
    func short() {
        var history = PoolHistory()
        history.set(levels { $0.connections.active = 2 }, [], at: at(100))
        history.set(
            levels {
                $0.connections = ConnectionLevels(); $0.connections.active = 9; $0.connections.idle = 1
                $0.requests.queued = 4; $0.requests.inFlight = 9
            },
            [.connections],
            at: at(110)
        )
        history.set(levels { $0.connections.active = 1 }, [], at: at(120))
        let peaks = history.peaks(at: at(130), unreported: 0)
        #expect(peaks == PoolPeaks(active: 9, open: 10, queued: 4, demand: 13))
        // Submissions that no turn has taken count as well.
        let more = history.peaks(at: at(61_500), unreported: 6)
        #expect(more == PoolPeaks(active: 1, open: 1, queued: 6, demand: 6))
    }
}

@Suite("Integrals")
struct IntegralTests {
    @Test("They are the sum of level by time, to the nanosecond")
    func exact() {
        var history = PoolHistory()
        history.set(
            levels {
                $0.connections.active = 3; $0.requests.queued = 2
            },
            [.connections],
            at: at(0)
        )
        history.set(levels { $0.connections.idle = 5 }, [], at: at(1500))
        history.advance(to: at(3500))
        history.advance(to: at(3500))
        #expect(history.connectionTime.active == 3 * 1_500_000_000)
        #expect(history.connectionTime.idle == 5 * 2_000_000_000)
        #expect(history.connectionTime.connecting == 0)
        #expect(history.queuedTime == 2 * 1_500_000_000)
        #expect(history.saturatedTime[.connections] == 1_500_000_000)
        #expect(history.saturatedTime[.connectionsPerOrigin] == 0)
    }

    @Test("A turn that began before a scrape and is published after it takes nothing back")
    func turnAfterScrape() {
        var tally = PoolTally(configuration: PoolConfiguration(), since: 0)
        var turn = PoolTurn(now: at(0)).introducing(0, "a").levels(0, active: 1, queued: 1, inFlight: 1)
            .levels(CallSite("integral"), queued: 1, inFlight: 1)
        tally.add(turn, wall: nil)
        tally.advance(to: at(2000))
        let (held, waited) = (tally.origins.rows[0].times.leased, tally.origins.rows[0].times.waited)
        #expect(held == 2_000_000_000 && waited == 2_000_000_000)
        turn = PoolTurn(now: at(500)).levels(0).levels(CallSite("integral"))
        tally.add(turn, wall: nil)
        tally.advance(to: at(2100))
        #expect(tally.origins.rows[0].times.leased == held)
        #expect(tally.origins.rows[0].times.waited == waited)
        #expect(tally.sites.rows[0].times.leased == held)
        #expect(tally.history.connectionTime.active == held)
    }

    @Test("What a turn that began before a scrape adds counts from the scrape on")
    func beginAfterScrape() {
        var tally = PoolTally(configuration: PoolConfiguration(), since: 0)
        tally.add(PoolTurn(now: at(0)).introducing(0, "a").levels(0), wall: nil)
        tally.advance(to: at(2000))
        let turn = PoolTurn(now: at(500)).levels(0, active: 1, inFlight: 1).levels(CallSite("late"), inFlight: 1)
        tally.add(turn, wall: nil)
        tally.advance(to: at(2100))
        #expect(tally.origins.rows[0].times.leased == 100_000_000)
        #expect(tally.sites.rows[0].times.leased == 100_000_000)
        #expect(tally.history.connectionTime.active == 100_000_000)
    }

    @Test("Negative and absurd levels of a client that is wrong neither crash nor count")
    func wrongLevels() {
        var tally = PoolTally(configuration: PoolConfiguration(), since: 0)
        let wrong = levels {
            $0.connections.active = -5; $0.requests.queued = .max; $0.requests.connecting = 1; $0.requests.inFlight = -1
        }
        var turn = PoolTurn(now: at(0)).introducing(0, "a")
        turn.origins = [PoolTurn.ChangedOrigin(OriginID(index: 0), wrong)]
        tally.add(turn, wall: nil)
        tally.advance(to: at(10_000))
        #expect(tally.origins.rows[0].times.leased == 0)
        #expect(tally.history.connectionTime.active == 0)
    }
}

extension PoolTurn {
    /// Sets the levels of a call site.
    fileprivate func levels(_ site: CallSite, queued: Int = 0, inFlight: Int) -> PoolTurn {
        var turn = self
        var levels = RequestLevels()
        levels.queued = queued
        levels.inFlight = inFlight
        turn.sites.append(PoolTurn.ChangedSite(site, levels))
        return turn
    }

    fileprivate func levels(_ site: CallSite) -> PoolTurn { levels(site, inFlight: 0) }
}

@Suite("Requests that no turn has taken")
struct PendingPeakTests {
    @Test("A scrape that shows them as queued is followed by none with a lower peak for a minute")
    func peak() {
        var tally = PoolTally(configuration: PoolConfiguration(), since: 0)
        tally.add(PoolTurn(now: at(0)).introducing(0, "a").levels(0), wall: nil)
        let origin = Origin(scheme: "http", host: "a", port: 80)
        let pending = PendingSubmission(number: 1, origin: origin, site: "late", submitted: at(100))
        tally.advance(to: at(1100))
        tally.notePeak([pending])
        var turn = PoolTurn(now: at(1200)).levels(0, active: 1, inFlight: 1)
        turn.takenThrough = 1
        tally.add(turn, wall: nil)
        #expect(tally.history.peaks(at: at(30_000), unreported: 0).queued == 1)
        #expect(tally.history.peaks(at: at(70_000), unreported: 0).queued == 0)
        tally.notePeak([pending])
        #expect(tally.history.peaks(at: at(70_000), unreported: 0).queued == 0)
    }

    private static func origin(_ host: String) -> Origin { Origin(scheme: "http", host: host, port: 80) }

    private static func pending(_ number: UInt64, _ host: String, _ milliseconds: UInt64) -> PendingSubmission {
        PendingSubmission(number: number, origin: origin(host), site: "late", submitted: at(milliseconds))
    }

    /// A turn that takes requests of the first origin and of the site, submitted at these times.
    private static func taking(
        _ submitted: [UInt64],
        at now: UInt64,
        through number: UInt64,
        queued: Int = 0
    ) -> PoolTurn {
        var taken = TakenRequests()
        for time in submitted { taken.add(submittedAt: at(time)) }
        var (origin, site) = (OriginLevels(), RequestLevels())
        (origin.requests.queued, site.queued) = (queued, queued)
        var turn = PoolTurn(now: at(now))
        turn.takenThrough = number
        turn.origins = [PoolTurn.ChangedOrigin(OriginID(index: 0), origin, taken: taken)]
        turn.sites = [PoolTurn.ChangedSite(CallSite("late"), site, taken: taken)]
        return turn
    }

    @Test("They wait from their submission on, in a scrape before their turn as after it, and raise the peaks")
    func waiting() {
        var tally = PoolTally(configuration: PoolConfiguration(), since: 0)
        tally.add(PoolTurn(now: at(0)).introducing(0, "a").levels(0), wall: nil)
        let pending = [Self.pending(1, "a", 100), Self.pending(2, "a", 300)]
        tally.advance(to: at(1000))
        var shown = tally
        #expect(shown.add(pending) == 2)
        let inScrape: UInt128 = 900_000_000 + 700_000_000
        #expect(shown.origins.rows[0].times.waited == inScrape)
        #expect(shown.sites.rows[0].times.waited == inScrape)
        #expect(shown.history.queuedTime == inScrape)
        // One is granted in the turn that takes it, the other one stays in the queue.
        tally.add(Self.taking([100, 300], at: 2000, through: 2, queued: 1), wall: nil)
        let taken: UInt128 = 1_900_000_000 + 1_700_000_000
        #expect(tally.origins.rows[0].times.waited == taken)
        #expect(tally.sites.rows[0].times.waited == taken)
        #expect(tally.history.queuedTime == taken)
        #expect(tally.history.peaks(at: at(2000), unreported: 0).queued == 2)
        #expect(tally.history.peaks(at: at(2000), unreported: 0).demand == 2)
        tally.advance(to: at(2500))
        #expect(tally.origins.rows[0].times.waited == taken + 500_000_000)
        #expect(tally.history.queuedTime == taken + 500_000_000)
    }

    @Test("A turn that took them before the last scrape takes back nothing that it showed")
    func scrapeAfterTurn() {
        var tally = PoolTally(configuration: PoolConfiguration(), since: 0)
        tally.add(PoolTurn(now: at(0)).introducing(0, "a").levels(0), wall: nil)
        tally.advance(to: at(1000))
        var shown = tally
        _ = shown.add([Self.pending(1, "a", 100)])
        tally.add(Self.taking([100], at: 500, through: 1), wall: nil)
        #expect(tally.origins.rows[0].times.waited >= shown.origins.rows[0].times.waited)
        #expect(tally.history.queuedTime >= shown.history.queuedTime)
    }

    @Test("Those that share a row for now do not make its integral fall when they get one of their own")
    func sharedRow() {
        var configuration = PoolConfiguration()
        configuration.series.maxOrigins = 1
        var tally = PoolTally(configuration: configuration, since: 0)
        tally.add(PoolTurn(now: at(0)).introducing(0, "a").levels(0), wall: nil)
        tally.advance(to: at(700_000))
        var shown = tally
        #expect(shown.add([Self.pending(1, "b", 699_000)]) == 1)
        // A scrape gives up no row: only what a turn says is kept.
        #expect(shown.origins.rows.map(\.label) == ["http://a:80", "other"])
        #expect(shown.origins.rows.map(\.times.waited) == [0, 0])
        #expect(shown.sites.rows.map(\.times.waited) == [0])
        #expect(shown.history.queuedTime == 0)
        #expect(shown.origins.rows[1].levels.requests.queued == 1)
    }

    @Test("Times of submission after the turn count as no waiting")
    func absurd() {
        var taken = TakenRequests()
        taken.add(submittedAt: at(5000))
        #expect(taken.waited(until: at(1000)) == 0)
        taken.add(submittedAt: MonotonicTime(nanoseconds: .max))
        #expect(taken.waited(until: at(1000)) <= UInt64(Int64.max))
    }
}
