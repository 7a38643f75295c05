import HTTPPool
import PoolMetrics
import SharedPool
import Testing

/// A watch that is given an observation each second, by a clock of its own.
private struct Seconds {
    var watch = PoolWatch()
    private var now = MonotonicTime(nanoseconds: 1_000_000_000_000)
    private var number: UInt64 = 0

    /// A second passes, at the end of which these things happen.
    mutating func pass(
        _ kinds: NotableEvent.Kind...,
        open: [SaturationEpisode] = [],
        queued: Int = 0
    ) -> [PoolWatch.Line] {
        now = now + 1_000_000_000
        var observation = PoolWatch.Observation(now: now)
        observation.queued = queued
        observation.saturations = open
        for kind in kinds {
            number += 1
            observation.events.append(NotableEvent(number: number, kind: kind, origin: "http://a:80", at: now))
        }
        return watch.observe(observation)
    }

    /// Several seconds in which nothing happens.
    mutating func rest(_ seconds: Int) -> [PoolWatch.Line] { (0..<seconds).flatMap { _ in pass() } }
}

private let began = NotableEvent.Kind.saturationBegan(.connections, value: 20)
private func ended(_ waited: UInt64) -> NotableEvent.Kind {
    .saturationEnded(.connections, lasted: 2_000_000_000, waited: waited)
}
private func lease(_ number: UInt64) -> NotableEvent.OverdueLease {
    NotableEvent.OverdueLease(
        number: RequestNumber(number),
        connection: nil,
        site: "catalog",
        phase: .heldByCaller,
        age: 70_000_000_000,
        still: 60_000_000_000
    )
}

@Suite("What is worth a line in the log")
struct PoolWatchTests {
    @Test("An episode of saturation has a line at its beginning and one at its end, with its length and who waited")
    func episode() {
        var seconds = Seconds()
        #expect(seconds.rest(3) == [])
        #expect(seconds.pass(began, queued: 5) == [.saturated(.connections, value: 20, queued: 5)])
        #expect(seconds.rest(6) == [])
        #expect(
            seconds.pass(ended(9)) == [.relieved(.connections, lasted: 2_000_000_000, waited: 9, unreported: 0)]
        )
        #expect(seconds.rest(10) == [])
    }

    @Test("A second episode within a minute is counted and not reported, unless it lasts for a minute")
    func rate() {
        var seconds = Seconds()
        #expect(seconds.pass(began).count == 1)
        #expect(seconds.pass(ended(1)).count == 1)
        for _ in 0..<3 {
            #expect(seconds.pass(began) == [])
            #expect(seconds.rest(3) == [])
            #expect(seconds.pass(ended(1)) == [])
        }
        #expect(seconds.rest(60) == [])
        #expect(seconds.pass(began).count == 1)
        #expect(
            seconds.pass(ended(1)) == [.relieved(.connections, lasted: 2_000_000_000, waited: 1, unreported: 3)]
        )
        #expect(seconds.pass(began) == [])
        #expect(seconds.rest(59) == [])
        #expect(seconds.rest(1) == [.saturated(.connections, value: 20, queued: 0)])
        #expect(seconds.rest(100) == [])
        #expect(seconds.pass(ended(1)).count == 1)
    }

    @Test("Each limit has lines of its own")
    func limits() {
        var seconds = Seconds()
        #expect(seconds.pass(began, .saturationBegan(.streams, value: nil)).count == 2)
        #expect(
            seconds.pass(.saturationEnded(.streams, lasted: 1, waited: 2)) == [
                .relieved(.streams, lasted: 1, waited: 2, unreported: 0)
            ]
        )
        #expect(seconds.pass(ended(3)).count == 1)
    }

    @Test("An episode that goes on at the shutdown ends with it")
    func finish() {
        var seconds = Seconds()
        let time = MonotonicTime(nanoseconds: 5)
        let episode = SaturationEpisode(limit: .connections, began: time, lastHeld: time + 7, waited: 2)
        _ = seconds.pass(began, open: [episode])
        #expect(seconds.watch.finish() == [.relieved(.connections, lasted: 7, waited: 2, unreported: 0)])
        #expect(seconds.watch.finish() == [])
    }

    @Test("An overdue lease has one line, with its age and how long nothing moved")
    func overdue() {
        var seconds = Seconds()
        #expect(seconds.pass(.overdueLease(lease(1))) == [.overdue(lease(1), origin: "http://a:80")])
        #expect(seconds.rest(1) == [])
    }

    @Test("Of very many overdue leases ten in a minute have a line, and one line counts the others")
    func manyOverdue() {
        var seconds = Seconds()
        var first: [PoolWatch.Line] = []
        var observation = PoolWatch.Observation(now: MonotonicTime(nanoseconds: 1_000_000_000_000))
        for number in 1...25 {
            observation.events.append(
                NotableEvent(
                    number: UInt64(number),
                    kind: .overdueLease(lease(UInt64(number))),
                    origin: "a",
                    at: observation.now
                )
            )
        }
        first = seconds.watch.observe(observation)
        #expect(first.count == 11)
        #expect(first.last == .moreOverdue(15))
        #expect(seconds.pass(.overdueLease(lease(100))) == [])
        #expect(seconds.pass(.overdueLease(lease(101))) == [])
        // They are counted when the minute is over.
        #expect(seconds.rest(57) == [])
        #expect(seconds.rest(1) == [.moreOverdue(2)])
        #expect(seconds.rest(60) == [])
        #expect(seconds.pass(.overdueLease(lease(102))).count == 1)
    }
}
