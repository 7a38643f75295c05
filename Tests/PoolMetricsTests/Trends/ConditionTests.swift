import HTTPPool
import TestSupport
import Testing

@testable import PoolMetrics

private func at(_ seconds: Double) -> MonotonicTime {
    MonotonicTime(nanoseconds: 1_000_000_000_000 + UInt64(seconds * 1e9))
}

/// Counters of an origin.
private func counts(_ change: (inout OriginReading) -> Void) -> RecentCounts {
    var row = OriginReading(label: "http://a:80")
    change(&row)
    return RecentCounts(row)
}

@Suite("Conditions")
struct ConditionTests {
    private func found(
        _ recent: RecentCounts = RecentCounts(),
        justNow: RecentCounts = RecentCounts(),
        respondsIn: Double? = nil,
        usual: Double? = nil,
        queued: Int = 0,
        active: Int = 0
    ) -> [PoolCondition] {
        var levels = OriginLevels()
        levels.requests.queued = queued
        levels.connections.active = active
        return ConditionRules.conditions(
            of: ConditionRules.Origin(
                levels: levels,
                recent: recent,
                justNow: justNow,
                respondsIn: respondsIn,
                usual: usual,
                limit: 10
            )
        )
    }

    @Test("An origin is at its limit where requests wait for it and no connection is left to it")
    func perOrigin() {
        #expect(found(queued: 1, active: 10) == [.saturatedPerOrigin])
        #expect(found(queued: 0, active: 10) == [])
        #expect(found(queued: 5, active: 9) == [])
    }

    @Test("An origin is down where three attempts failed, none succeeded and nothing responds")
    func down() {
        let refused = counts { $0.connectFailures[.refused] = 3 }
        #expect(found(refused) == [.upstreamDown])
        #expect(found(refused, justNow: counts { $0.responses = 1 }) == [])
        #expect(found(counts { $0.connectFailures[.refused] = 2 }) == [])
        #expect(found(counts { $0.connectFailures[.cancelled] = 30 }) == [])
        #expect(found(counts { ($0.connectFailures[.dns], $0.connectionsOpened) = (30, 1) }) == [])
    }

    @Test(
        "An origin fails where a tenth of twenty requests or more ended as errors",
        arguments: [
            LeaseOutcome.serverError, .timeout, .connectionLost, .invalidResponse,
        ]
    )
    func failing(_ outcome: LeaseOutcome) {
        #expect(found(counts { ($0.leases[outcome], $0.leases[.success]) = (2, 18) }) == [.upstreamFailing])
        #expect(found(counts { ($0.leases[outcome], $0.leases[.success]) = (2, 19) }) == [])
        #expect(found(counts { $0.leases[outcome] = 19 }) == [])
        #expect(found(counts { ($0.leases[.clientError], $0.leases[.cancelled]) = (50, 50) }) == [])
    }

    @Test("An origin is slow where it takes three times as long as usual, and a quarter of a second longer")
    func slow() {
        #expect(found(respondsIn: 5, usual: 0.038) == [.upstreamSlow])
        #expect(found(respondsIn: 0.2, usual: 0.038) == [])
        #expect(found(respondsIn: 5, usual: 2) == [])
        #expect(found(respondsIn: 5) == [])
    }

    @Test("Connections are not reused where less than a fifth of sixty acquisitions found one")
    func reuse() {
        #expect(found(counts { ($0.acquires[.new], $0.acquires[.reused]) = (49, 11) }) == [.noReuse])
        #expect(found(counts { ($0.acquires[.new], $0.acquires[.reused]) = (48, 12) }) == [])
        #expect(found(counts { ($0.acquires[.new], $0.acquires[.multiplexed]) = (30, 30) }) == [])
        #expect(found(counts { $0.acquires[.new] = 59 }) == [])
    }

    @Test("A pool lacks descriptors, evicts, or is close to its limit")
    func pool() {
        var busy = TrendCell()
        busy.activePeak = 16
        func of(_ counts: RecentCounts, _ minutes: [TrendCell] = [TrendCell(), busy, busy]) -> [PoolCondition] {
            ConditionRules.conditions(of: counts, minutes: minutes, limit: 20)
        }
        #expect(of(counts { $0.connectFailures[.noDescriptor] = 1 }) == [.outOfDescriptors])
        #expect(of(counts { ($0.connectionsClosed[.evicted], $0.acquires[.new]) = (30, 300) }) == [.evictionChurn])
        #expect(of(counts { ($0.connectionsClosed[.evicted], $0.acquires[.new]) = (30, 301) }) == [])
        #expect(of(counts { $0.connectionsClosed[.evicted] = 29 }) == [])
        #expect(of(RecentCounts(), [busy, busy, busy]) == [.nearLimit])
    }

    @Test(
        "A condition is reported once it has held for long enough, from its beginning, and is over when it was last seen"
    )
    func log() {
        var log = ConditionLog()
        #expect(log.holds(.upstreamDown, "a", at: at(0), counts { $0.responses = 5 }) == nil)
        #expect(log.holds(.upstreamDown, "a", at: at(2.9), RecentCounts()) == nil)
        #expect(log.current.isEmpty)
        let episode = log.holds(.upstreamDown, "a", at: at(3), counts { $0.responses = 8 })
        #expect(episode?.began == at(0))
        #expect(episode?.counted.responses == 3)
        #expect(log.holds(.upstreamDown, "a", at: at(4), RecentCounts()) == nil)
        #expect(log.current.map(\.lasted) == [4_000_000_000])
        #expect(log.expire(at: at(14)).isEmpty)
        #expect(log.expire(at: at(14.1)).map(\.lastHeld) == [at(4)])
        #expect(log.current.isEmpty)
        #expect(log.past.map(\.origin) == ["a"])
        // One that was never reported ends without a trace.
        _ = log.holds(.upstreamSlow, "b", at: at(20), RecentCounts())
        #expect(log.expire(at: at(40)).isEmpty)
        #expect(log.past.count == 1)
    }

    @Test("A gap shorter than the quiet time is part of the same condition")
    func flapping() {
        var log = ConditionLog()
        var reports = 0
        for second in stride(from: 0.0, to: 300, by: 9) {
            if log.holds(.upstreamFailing, "a", at: at(second), RecentCounts()) != nil { reports += 1 }
            #expect(log.expire(at: at(second + 8.9)).isEmpty)
        }
        #expect(reports == 1)
    }
}

@Suite("Notable events")
struct NotableEventTests {
    @Test("Equal events of ten seconds are one with a count, the last words and both times")
    func coalescing() {
        var events = NotableEvents()
        for second in 0..<25 {
            events.note(.connectFailed(.refused), "a", at: at(Double(second)), words: "refused \(second)")
            events.note(.connectFailed(.refused), "b", at: at(Double(second)))
        }
        let a = events.events.filter { $0.origin == "a" }
        #expect(a.map(\.count) == [10, 10, 5])
        #expect(a.map(\.words) == ["refused 9", "refused 19", "refused 24"])
        #expect(a.map(\.last) == [at(9), at(19), at(24)])
        #expect(events.events.map(\.number) == [1, 2, 3, 4, 5, 6])
    }

    @Test("A storm of one kind leaves the events of the others, and 500 are the most")
    func storm() {
        var events = NotableEvents()
        events.note(.limitsChanged, at: at(0))
        events.note(.saturationBegan(.connections, value: 20), at: at(1))
        for number in 0..<5000 {
            events.note(.connectFailed(.refused), "host\(number)", at: at(2))
            events.note(.connectionClosed(.error), "host\(number)", at: at(2))
        }
        #expect(events.events.count == 202)
        #expect(events.events.first?.kind == .limitsChanged)
        for number in 0..<1000 {
            events.note(.queueFull, "host\(number)", at: at(3))
            events.note(.conditionBegan(.upstreamDown), "host\(number)", at: at(3))
            events.note(.saturationEnded(.connections, lasted: 1, waited: UInt64(number)), at: at(3))
            events.note(.saturationBegan(.connections, value: number), at: at(3))
            events.note(.reloaded, "host\(number)", at: at(3))
        }
        #expect(events.events.count == NotableEvents.capacity)
        #expect(Set(events.events.map(\.kind.group)).count == 6)
        #expect(events.events.map(\.number) == events.events.map(\.number).sorted())
    }
}
