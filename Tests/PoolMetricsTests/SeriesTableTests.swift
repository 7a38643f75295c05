import HTTPPool
import TestSupport
import Testing

@testable import PoolMetrics

/// A pool's origins, as a pool refers to them, with a clock of its own.
private struct Origins {
    var tally: PoolTally
    private var trends: PoolTrends
    var now = MonotonicTime(nanoseconds: 1_000_000_000_000)
    private var ids: [String: Int32] = [:]

    init(cap: Int) {
        var configuration = PoolConfiguration()
        configuration.series.maxOrigins = cap
        tally = PoolTally(configuration: configuration, since: 0)
        trends = PoolTrends(at: MonotonicTime(nanoseconds: 0))
    }

    mutating func pass(_ duration: Duration) { now = now + duration.wholeNanoseconds }

    /// A turn in which the origin has a request that opens a connection, or ends with it.
    mutating func turn(_ host: String, active: Int, _ events: [PoolEvent] = []) {
        let isNew = ids[host] == nil
        let id = ids[host] ?? Int32(ids.count)
        ids[host] = id
        var turn = PoolTurn(now: now)
        if isNew { turn = turn.introducing(id, host) }
        let origin = OriginID(index: id)
        turn.events = events.map { PoolEvent($0.kind, origin, at: now, site: $0.site) }
        turn = turn.levels(id, active: active, inFlight: active)
        tally.add(turn, &trends, wall: nil)
    }

    /// The origin opens a connection, uses it, and closes it.
    mutating func use(_ host: String) {
        let a = OriginID.a
        turn(host, active: 1, [.connectionOpened(a, took: 1), .acquired(a, .new, waited: 1, queued: 0)])
        turn(
            host,
            active: 0,
            [.leaseEnded(a, held: 1), .connectionClosed(a, .responseClose, lifetime: 1, requests: 1)]
        )
    }

    /// The origin's name does not resolve.
    mutating func fail(_ host: String) {
        turn(host, active: 0, [.connectFailed(.a, .dns, took: 1), .acquireFailed(.a, .connectFailed, waited: 1)])
    }

    var labels: Set<String> {
        Set(tally.origins.rows.map { $0.label.replacing("http://", with: "").replacing(":80", with: "") })
    }

    func acquires(_ host: String) -> UInt64? {
        tally.origins.rows.first { $0.label.contains("//\(host):") || $0.label == host }?.acquires.total
    }
}

@Suite("The rows of origins and call sites")
struct SeriesTableTests {
    @Test("A row is given up after ten minutes without a live level, and what it counted is retired")
    func retired() {
        var origins = Origins(cap: 2)
        for host in ["a", "b", "c"] { origins.use(host) }
        #expect(origins.labels == ["a", "b", "other"])
        origins.pass(.seconds(599))
        origins.use("c")
        #expect(origins.labels == ["a", "b", "other"])
        origins.pass(.seconds(1))
        origins.use("c")
        #expect(origins.labels == ["b", "c", "other", "retired"])
        #expect(origins.acquires("retired") == 1 && origins.acquires("other") == 2 && origins.acquires("c") == 1)
        // One that returns begins at 0.
        origins.pass(.seconds(600))
        origins.use("a")
        #expect(origins.labels == ["a", "c", "other", "retired"])
        #expect(origins.acquires("a") == 1)
        let sum = origins.tally.origins.rows.reduce(0) { $0 + $1.acquires.total }
        #expect(sum == 6)
    }

    @Test("A row with a live level is never given up, however long nothing happens")
    func live() {
        var origins = Origins(cap: 1)
        origins.turn("a", active: 1, [.connectionOpened(.a, took: 1), .acquired(.a, .new, waited: 1, queued: 0)])
        origins.pass(.seconds(86_400))
        origins.use("b")
        #expect(origins.labels == ["a", "other"])
    }

    @Test("Names that never resolved go first, then the longest unused")
    func order() {
        var origins = Origins(cap: 3)
        origins.use("old")
        origins.pass(.seconds(1))
        origins.use("young")
        origins.pass(.seconds(1))
        origins.fail("typo")
        origins.pass(.seconds(700))
        origins.use("first")
        #expect(origins.labels == ["old", "young", "first", "retired"])
        origins.pass(.seconds(60))
        origins.use("second")
        #expect(origins.labels == ["young", "first", "second", "retired"])
    }

    @Test("At most one row a minute is given up")
    func pace() {
        var origins = Origins(cap: 4)
        for host in ["a", "b", "c", "d"] { origins.use(host) }
        origins.pass(.seconds(3600))
        for second in 0..<120 {
            origins.pass(.seconds(1))
            origins.use("new \(second)")
        }
        #expect(origins.labels.filter { $0.hasPrefix("new") }.count == 2)
    }

    @Test("An origin leaves other only when it has no live level there")
    func leavesOther() {
        var origins = Origins(cap: 1)
        origins.use("a")
        let opened: [PoolEvent] = [.connectionOpened(.a, took: 1), .acquired(.a, .new, waited: 1, queued: 0)]
        origins.turn("b", active: 1, opened)
        origins.pass(.seconds(700))
        origins.turn("b", active: 2, opened)
        #expect(origins.labels == ["a", "other"])
        origins.turn("b", active: 0)
        origins.pass(.seconds(2))
        origins.turn("b", active: 1, opened)
        #expect(origins.labels == ["b", "other", "retired"])
        #expect(origins.tally.origins.rows.first { $0.label == "other" }?.levels == OriginLevels())
        #expect(origins.acquires("other") == 2 && origins.acquires("b") == 1)
    }

    @Test("100,000 origins keep the bound, and the busy one has a row of its own within eleven minutes")
    func storm() {
        var origins = Origins(cap: 64)
        for index in 0..<64 { origins.use("h\(index)") }
        var seen = Set<String>()
        for index in 0..<100_000 {
            origins.pass(.milliseconds(7))
            origins.use("flood \(index)")
            if index % 10 == 0 { origins.use("busy") }
            if index % 1000 == 0 { seen.formUnion(origins.labels) }
        }
        #expect(origins.tally.origins.rows.count == 66)
        #expect(origins.labels.contains("busy"), "named after \(100_000 * 7 / 1000) s")
        #expect(origins.tally.origins.rows.reduce(0) { $0 + $1.acquires.total } == 110_064)
        // 700 s: the busy one got the first row that was given up, and one of the flood at most another.
        #expect(seen.filter { $0.hasPrefix("flood") }.count <= 1)
    }

    @Test("The busiest of those without a row gets the next one")
    func busiest() {
        var origins = Origins(cap: 1)
        origins.use("a")
        for _ in 0..<5 { origins.use("busy") }
        for index in 0..<3 { origins.use("quiet \(index)") }
        origins.pass(.seconds(600))
        origins.use("quiet 0")
        #expect(origins.labels == ["a", "other"])
        origins.use("busy")
        #expect(origins.labels == ["busy", "other", "retired"])
    }

    @Test("A key that is named like a shared row shares it")
    func names() {
        var table = SeriesTable<CallSite, SiteReading>(cap: 4)
        let now = MonotonicTime(nanoseconds: 0)
        for (index, name) in ["other", "retired", "mine"].enumerated() {
            table.introduce(CallSite(name), as: index, at: now)
            table.update(index, at: now) { $0.acquires += 1 }
        }
        #expect(table.rows.map(\.label) == ["other", "mine"])
        #expect(table.rows.map(\.acquires) == [2, 1])
    }
}
