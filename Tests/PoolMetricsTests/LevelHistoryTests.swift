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
struct PendingWaitTests {
    private let origin = Origin(scheme: "http", host: "a", port: 80)

    @Test(
        "Their wait counts from submission, at a scrape before the turn that takes them and after it, and the peak stays"
    )
    func waits() {
        var tally = PoolTally(configuration: PoolConfiguration(), since: 0)
        var live = LiveRequests()
        tally.add(PoolTurn(now: at(0)).introducing(0, "a").levels(0), wall: nil)
        let pending = PendingSubmission(number: 1, origin: origin, site: "late", submitted: at(100))
        tally.advance(to: at(1100))
        tally.notePeak([pending])
        var scrape = tally
        #expect(scrape.add([pending]) == 1)
        #expect(scrape.origins.rows[0].times.waited == 1_000_000_000)
        #expect(scrape.history.queuedTime == 1_000_000_000)

        // The turn began before the scrape, and takes it at once.
        let key = RequestKey(number: RequestNumber(1), index: 0)
        let event = PoolEvent(.queued(behind: nil, waited: 900_000_000), .a, at: at(1000), site: "late", request: key)
        var turn = PoolTurn(now: at(1000)).levels(0, queued: 1).levels(CallSite("late"), queued: 1)
        turn.events = [event]
        turn.takenThrough = 1
        tally.add(turn, wall: nil)
        if let began = live.add(event) { tally.waited(since: began, event) }
        tally.advance(to: at(1600))
        #expect(tally.origins.rows[0].times.waited == 1_500_000_000)
        #expect(tally.sites.rows.first { $0.label == "late" }?.times.waited == 1_500_000_000)
        #expect(tally.history.queuedTime == 1_500_000_000)
        #expect(live.add(event) == nil)
        #expect(tally.history.peaks(at: at(30_000), unreported: 0).queued == 1)
    }
}
