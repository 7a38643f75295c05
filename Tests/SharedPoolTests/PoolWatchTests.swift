import HTTPPool
import SharedPool
import Testing

/// A watch that is given an observation each second, by a clock of its own.
private struct Seconds {
    var watch = PoolWatch()
    private var now = MonotonicTime(nanoseconds: 1_000_000_000_000)
    private var waits: [PoolLimit: UInt64] = [:]

    /// A second passes, in which so many requests had to wait for a limit.
    mutating func pass(
        saturation: PoolSaturation = [],
        waited: UInt64 = 0,
        limit: PoolLimit = .connections,
        queued: Int = 0,
        overdue: [PoolObservation.OverdueLease] = []
    ) -> [PoolWatch.Event] {
        now = now + 1_000_000_000
        waits[limit, default: 0] += waited
        var observation = PoolObservation(now: now)
        observation.saturation = saturation
        observation.waits = waits
        observation.queued = queued
        observation.limits = [.connections: 20]
        observation.overdue = overdue
        return watch.observe(observation)
    }

    /// Several seconds in which nothing waits.
    mutating func rest(_ seconds: Int) -> [PoolWatch.Event] { (0..<seconds).flatMap { _ in pass() } }

    /// A lease that has not moved for a minute.
    func lease(_ number: UInt64) -> PoolObservation.OverdueLease {
        PoolObservation.OverdueLease(
            number: RequestNumber(number),
            origin: "http://a:80",
            site: "catalog",
            phase: .heldByCaller,
            since: MonotonicTime(nanoseconds: now.nanoseconds - 69_000_000_000),
            moved: MonotonicTime(nanoseconds: now.nanoseconds - 59_000_000_000)
        )
    }
}

@Suite("What is worth a line in the log")
struct PoolWatchTests {
    @Test("An episode of saturation has a line at its beginning and one at its end, with its length and who waited")
    func episode() {
        var seconds = Seconds()
        #expect(seconds.rest(3) == [])
        #expect(
            seconds.pass(saturation: .connections, waited: 7, queued: 5) == [
                .saturated(.connections, value: 20, queued: 5)
            ]
        )
        #expect(seconds.pass(saturation: .connections, waited: 2) == [])
        #expect(seconds.pass(saturation: .connections) == [])
        #expect(seconds.rest(4) == [])
        #expect(seconds.pass() == [.relieved(.connections, lasted: 2_000_000_000, waited: 9, unreported: 0)])
        #expect(seconds.rest(10) == [])
    }

    @Test("A pool at the edge of its limit is one long episode, because only five quiet seconds end one")
    func flapping() {
        var seconds = Seconds()
        #expect(seconds.pass() == [])
        #expect(seconds.pass(saturation: .connections, waited: 1).count == 1)
        for _ in 0..<20 {
            #expect(seconds.rest(4) == [])
            #expect(seconds.pass(saturation: .connections, waited: 1) == [])
        }
        #expect(seconds.rest(5) == [.relieved(.connections, lasted: 100_000_000_000, waited: 21, unreported: 0)])
    }

    @Test("Requests that waited between two looks count, though the limit keeps nobody waiting at the moment")
    func betweenLooks() {
        var seconds = Seconds()
        #expect(seconds.pass() == [])
        #expect(seconds.pass(waited: 3) == [.saturated(.connections, value: 20, queued: 0)])
        #expect(seconds.rest(4) == [])
        #expect(seconds.pass(waited: 1) == [])
        #expect(seconds.rest(5) == [.relieved(.connections, lasted: 5_000_000_000, waited: 4, unreported: 0)])
    }

    @Test("What had to wait before the watch began is no episode")
    func earlierWaits() {
        var seconds = Seconds()
        #expect(seconds.pass(waited: 1000) == [])
        #expect(seconds.rest(10) == [])
    }

    @Test("Requests that wait at the first look are part of the episode that it begins")
    func firstLook() {
        var seconds = Seconds()
        #expect(seconds.pass(saturation: .connections, waited: 9, queued: 2).count == 1)
        #expect(seconds.pass(saturation: .connections, waited: 1) == [])
        #expect(seconds.rest(5) == [.relieved(.connections, lasted: 1_000_000_000, waited: 3, unreported: 0)])
    }

    @Test("A second episode within a minute is counted and not reported, unless it lasts for a minute")
    func rate() {
        var seconds = Seconds()
        _ = seconds.pass()
        #expect(seconds.pass(waited: 1).count == 1)
        #expect(seconds.rest(5).count == 1)
        for _ in 0..<3 {
            #expect(seconds.pass(waited: 1) == [])
            #expect(seconds.rest(6) == [])
        }
        #expect(seconds.rest(60) == [])
        #expect(seconds.pass(waited: 1).count == 1)
        #expect(seconds.rest(5) == [.relieved(.connections, lasted: 0, waited: 1, unreported: 3)])

        var events: [PoolWatch.Event] = []
        for _ in 0..<70 { events += seconds.pass(saturation: .connections, waited: 1, queued: 2) }
        #expect(events == [.saturated(.connections, value: 20, queued: 2)])
    }

    @Test("Each limit has episodes of its own")
    func limits() {
        var seconds = Seconds()
        _ = seconds.pass()
        #expect(seconds.pass(saturation: [.connections, .streams]).count == 2)
        #expect(seconds.pass(saturation: .connections) == [])
        for _ in 0..<3 { #expect(seconds.pass(saturation: .connections) == []) }
        #expect(seconds.pass(saturation: .connections) == [.relieved(.streams, lasted: 0, waited: 0, unreported: 0)])
    }

    @Test("An episode that goes on at the shutdown ends with it")
    func finish() {
        var seconds = Seconds()
        _ = seconds.pass()
        _ = seconds.pass(saturation: .connections, waited: 2)
        #expect(seconds.watch.finish() == [.relieved(.connections, lasted: 0, waited: 2, unreported: 0)])
        #expect(seconds.watch.finish() == [])
    }

    @Test("An overdue lease has one line, with its age and how long nothing moved")
    func overdue() {
        var seconds = Seconds()
        let lease = seconds.lease(1)
        #expect(seconds.pass(overdue: [lease]) == [.overdue(lease, age: 70_000_000_000, still: 60_000_000_000)])
        #expect(seconds.pass(overdue: [lease]) == [])
        #expect(seconds.rest(1) == [])
        // A byte moved, and then none again.
        #expect(seconds.pass(overdue: [lease]) == [])
        #expect(seconds.pass(overdue: [lease, seconds.lease(2)]).count == 1)
    }

    @Test("Of very many overdue leases ten in a minute have a line, and one line counts the others")
    func manyOverdue() {
        var seconds = Seconds()
        let leases = (0..<25).map { seconds.lease(UInt64($0)) }
        let first = seconds.pass(overdue: leases)
        #expect(first.count == 11)
        #expect(first.last == .moreOverdue(15))
        #expect(seconds.pass(overdue: leases + [seconds.lease(100)]) == [])
        #expect(seconds.pass(overdue: leases + [seconds.lease(101)]) == [])
        // They are counted when the minute is over.
        #expect(seconds.rest(57) == [])
        #expect(seconds.rest(1) == [.moreOverdue(2)])
        #expect(seconds.rest(60) == [])
        #expect(seconds.pass(overdue: [seconds.lease(102)]).count == 1)
    }
}
