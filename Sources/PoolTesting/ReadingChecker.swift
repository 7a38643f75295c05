import HTTPPool
public import PoolMetrics

/// Checks that the numbers of a pool are consistent, within and between readings. For tests of adapters:
///
/// ```swift
/// var checker = ReadingChecker()
/// while load.isRunning { #expect(checker.check(client.reading()) == []) }
/// await client.shutdown()
/// #expect(checker.checkEnd(client.reading()) == [])
/// ```
///
/// Pass readings of one pool, in the order in which they were taken. Facts that the pool does not report
/// (`PoolFacts`) are not checked.
public struct ReadingChecker: Sendable {
    /// A violated rule.
    public struct Fault: Sendable, Hashable, CustomStringConvertible {
        /// The rule.
        public let rule: Rule
        /// The origin, if the rule applies to one, and the numbers.
        public let detail: String

        /// The rule and the numbers.
        public var description: String { "\(rule.rawValue): \(detail)" }
    }

    /// Rules that hold for every reading. The raw values describe them.
    @nonexhaustive
    public enum Rule: String, Sendable, Hashable, CaseIterable {
        /// Over all origins and states.
        case connectionLimit = "connections do not exceed max_connections"
        /// For each origin.
        case openConnections = "opened - closed = active + idle"
        /// For each origin.
        case leases = "acquires = leases ended + requests in flight"
        /// For the whole pool.
        case acquired = "the histogram of acquisitions counts every acquire"
        /// For the whole pool.
        case acquireFailed = "the histogram of failed acquisitions counts every failure"
        /// For the whole pool.
        case leaseDurations = "the histogram of leases counts every lease that ended"
        /// For the whole pool, by outcome.
        case queueWait = "the histogram of queue waits counts every acquisition"
        /// For the whole pool.
        case lifetimes = "the histogram of lifetimes counts every closed connection"
        /// For the whole pool.
        case responses = "the histogram of times to the head counts every response"
        /// For the whole pool.
        case idleLimit = "idle connections do not exceed max_idle_connections"
        /// For each origin.
        case activeConnections = "active connections do not exceed requests in flight"
        /// For every level.
        case negative = "no level is negative"
        /// For every counter, between consecutive readings. A row that was given up may begin again.
        case falling = "no counter falls"
        /// For requests by state, acquisitions, and the time that requests waited and held connections.
        case sites = "sums over call sites equal sums over origins"
        /// For the whole pool.
        case peaks = "a peak is not below its level"
        /// Between two readings less than 60 seconds apart.
        case integrals = "integrals grow by at most the peak multiplied by the time"
        /// For the whole pool.
        case saturation = "a limit keeps requests waiting only while requests wait"
        /// For the whole pool.
        case overdue = "overdue leases do not exceed requests in flight"
        /// After the shutdown.
        case end = "after the shutdown every level is 0"
    }

    private var last: Counters?
    /// The effective connection limit: the configured one, or the number of connections in use when it was lowered.
    private var most = 0

    /// Creates a checker that has not seen a reading.
    public init() {}

    /// Checks a reading by itself and against the previous one.
    ///
    /// - Returns: the violated rules; empty if there are none.
    public mutating func check(_ reading: PoolReading) -> [Fault] {
        let faults =
            reading.origins.flatMap { Self.check($0, reading.facts) } + checkWhole(reading)
            + Self.checkSites(reading) + Self.checkLevels(reading) + checkGrowth(reading)
        return faults
    }

    /// Checks the reading taken after the shutdown.
    ///
    /// - Returns: the violated rules; empty if there are none.
    public mutating func checkEnd(_ reading: PoolReading) -> [Fault] {
        var faults = check(reading)
        let sites = reading.sites.reduce(0) { $0 + $1.levels.total }
        let levels = reading.levels
        if levels != OriginLevels() || sites != 0 || reading.oldestQueued != nil || reading.resolving ?? 0 != 0
            || reading.oldestLease != nil || reading.overdueLeases?.total ?? 0 != 0
        {
            faults.append(Fault(rule: .end, detail: "\(levels), \(sites.of("request")) of call sites"))
        }
        return faults
    }

    private static func check(_ origin: OriginReading, _ facts: PoolFacts) -> [Fault] {
        var faults: [Fault] = []
        func expect(_ holds: Bool, _ rule: Rule, _ detail: @autoclosure () -> String) {
            if !holds { faults.append(Fault(rule: rule, detail: "\(origin.label): \(detail())")) }
        }
        let (connections, requests) = (origin.levels.connections, origin.levels.requests)
        let (acquires, ended) = (origin.acquires.total, origin.leases.total)
        let levels = [
            connections.connecting, connections.active, connections.idle, requests.queued, requests.connecting,
            requests.inFlight,
        ]
        expect(levels.allSatisfy { $0 >= 0 }, .negative, "\(levels)")
        expect(
            Int64(clamping: acquires) - Int64(clamping: ended) == requests.inFlight,
            .leases,
            "\(acquires.of("acquire")), \(ended) ended, \(requests.inFlight) in flight"
        )
        guard facts.contains(.connections) else { return faults }
        let (opened, closed) = (origin.connectionsOpened, origin.connectionsClosed.total)
        expect(
            Int64(clamping: opened) - Int64(clamping: closed) == connections.active + connections.idle,
            .openConnections,
            "\(opened) opened, \(closed) closed, \(connections.active) active, \(connections.idle) idle"
        )
        expect(
            connections.active <= requests.inFlight,
            .activeConnections,
            "\(connections.active) active, \(requests.inFlight) in flight"
        )
        return faults
    }

    private mutating func checkWhole(_ reading: PoolReading) -> [Fault] {
        var faults: [Fault] = []
        func expect(_ rule: Rule, _ found: UInt64, _ expected: UInt64) {
            if found != expected { faults.append(Fault(rule: rule, detail: "\(found) instead of \(expected)")) }
        }
        func sum(_ count: (OriginReading) -> UInt64) -> UInt64 { reading.origins.reduce(0) { $0 + count($1) } }
        let durations = reading.durations
        expect(.acquired, durations.acquired.count, sum(\.acquires.total))
        expect(.acquireFailed, durations.acquireFailed.count, sum(\.acquireFailures.total))
        expect(.leaseDurations, durations.lease.count, sum(\.leases.total))
        expect(.responses, durations.timeToHead.count, sum(\.responses))
        if reading.facts.contains(.slots) {
            expect(.queueWait, durations.queuedAcquired.count, sum(\.acquires.total))
            expect(.queueWait, durations.queuedFailed.count, sum(\.acquireFailures.total))
        }
        guard reading.facts.contains(.connections) else { return faults }
        expect(.lifetimes, reading.durations.connectionLifetime.count, sum(\.connectionsClosed.total))
        let connections = reading.levels.connections
        let limits = reading.configuration.limits
        most = max(limits.maxConnections, min(most, connections.connecting + connections.active))
        if connections.total > most {
            faults.append(Fault(rule: .connectionLimit, detail: "\(connections.total) of \(limits.maxConnections)"))
        }
        if connections.idle > limits.maxIdleConnections {
            faults.append(Fault(rule: .idleLimit, detail: "\(connections.idle) of \(limits.maxIdleConnections)"))
        }
        return faults
    }

    private static func checkSites(_ reading: PoolReading) -> [Fault] {
        let (sites, origins) = (reading.sites, reading.origins)
        let levels = reading.levels.requests
        var faults: [Fault] = []
        func expect(_ what: String, _ found: some BinaryInteger, _ expected: some BinaryInteger) {
            if UInt128(clamping: found) != UInt128(clamping: expected) {
                faults.append(Fault(rule: .sites, detail: "\(what): \(found) instead of \(expected)"))
            }
        }
        expect("queued", sites.sum(\.levels.queued), levels.queued)
        expect("connecting", sites.sum(\.levels.connecting), levels.connecting)
        expect("in flight", sites.sum(\.levels.inFlight), levels.inFlight)
        expect("acquires", sites.sum(\.acquires), origins.sum(\.acquires.total))
        expect("acquire failures", sites.sum(\.acquireFailures), origins.sum(\.acquireFailures.total))
        expect("time waited", sites.sum(\.times.waited), origins.sum(\.times.waited))
        expect("time held", sites.sum(\.times.leased), origins.sum(\.times.leased))
        return faults
    }

    private static func checkLevels(_ reading: PoolReading) -> [Fault] {
        var faults: [Fault] = []
        func expect(_ holds: Bool, _ rule: Rule, _ detail: @autoclosure () -> String) {
            if !holds { faults.append(Fault(rule: rule, detail: detail())) }
        }
        let (levels, peaks) = (reading.levels, reading.peaks)
        let isBelow =
            peaks.active < levels.connections.active || peaks.open < levels.connections.total
            || peaks.queued < levels.requests.queued || peaks.demand < levels.requests.total
        expect(!isBelow, .peaks, "\(peaks), \(levels)")
        expect(
            reading.saturation.isEmpty || levels.requests.queued > 0,
            .saturation,
            "\(reading.saturation) with \(levels.requests.queued) queued"
        )
        let overdue = reading.overdueLeases?.total ?? 0
        expect(overdue <= levels.requests.inFlight, .overdue, "\(overdue) of \(levels.requests.inFlight)")
        return faults
    }

    private mutating func checkGrowth(_ reading: PoolReading) -> [Fault] {
        let counters = Counters(reading)
        defer { last = counters }
        guard let last else { return [] }
        return counters.falls(since: last) + counters.growth(since: last)
    }
}

/// Every counter of a reading, by name.
private struct Counters: Sendable {
    typealias Fault = ReadingChecker.Fault

    private var rows: [String: [String: UInt128]] = [:]
    private let now: MonotonicTime
    private let peaks: PoolPeaks
    private let history: PoolHistory

    init(_ reading: PoolReading) {
        now = reading.now
        peaks = reading.peaks
        history = reading.history
        for origin in reading.origins {
            var values: [String: UInt128] = [:]
            func add<Key: CountedCase>(_ name: String, _ counts: Counts<Key>) {
                for key in Key.allCases { values["\(name) \(key.rawValue)"] = UInt128(counts[key]) }
            }
            add("acquires", origin.acquires)
            add("acquire failures", origin.acquireFailures)
            add("connect failures", origin.connectFailures)
            add("closed", origin.connectionsClosed)
            add("limit waits", origin.limitWaits)
            add("leases", origin.leases)
            values["opened"] = UInt128(origin.connectionsOpened)
            values["retries"] = UInt128(origin.staleRetries)
            values["responses"] = UInt128(origin.responses)
            values["time waited"] = origin.times.waited
            values["time held"] = origin.times.leased
            rows["origin \(origin.label)"] = values
        }
        for site in reading.sites {
            rows["site \(site.label)"] = [
                "site acquires": UInt128(site.acquires), "site acquire failures": UInt128(site.acquireFailures),
                "site time waited": site.times.waited, "site time held": site.times.leased,
            ]
        }
        rows["pool"] = [
            "configuration changes": UInt128(reading.configurationChanges),
            "connection time": history.connectionTime.total,
            "queued time": history.queuedTime,
            "saturated time": PoolLimit.allCases.reduce(0) { $0 + UInt128(history.saturatedTime[$1]) },
        ]
    }

    /// The counters that are lower than before: over all rows, and in each row that both readings have.
    func falls(since last: Counters) -> [Fault] {
        let sums = Self.falls("all rows", from: last.sums, to: sums)
        // A row may be given up and return within a minute.
        guard now - last.now < 60_000_000_000 else { return sums }
        return sums
            + last.rows.flatMap { name, before in rows[name].map { Self.falls(name, from: before, to: $0) } ?? [] }
    }

    private var sums: [String: UInt128] {
        rows.values.reduce(into: [:]) { $0.merge($1) { $0 + $1 } }
    }

    private static func falls(_ row: String, from old: [String: UInt128], to new: [String: UInt128]) -> [Fault] {
        old.compactMap { name, before in
            let now = new[name] ?? 0
            return now < before ? Fault(rule: .falling, detail: "\(name) of \(row) from \(before) to \(now)") : nil
        }
    }

    /// The integrals that grew faster than levels and time allow.
    func growth(since last: Counters) -> [Fault] {
        let time = UInt128(now - last.now)
        guard time < 60_000_000_000 else { return [] }
        var faults: [Fault] = []
        func expect(_ name: String, _ grown: UInt128, atMost most: UInt128) {
            if grown > most { faults.append(Fault(rule: .integrals, detail: "\(name): \(grown) exceeds \(most)")) }
        }
        let (new, old) = (history, last.history)
        let open = UInt128(clamping: peaks.open)
        expect("connections", new.connectionTime.total &- old.connectionTime.total, atMost: open * time)
        expect("queued", new.queuedTime &- old.queuedTime, atMost: UInt128(clamping: peaks.queued) * time)
        for limit in PoolLimit.allCases {
            let grown = new.saturatedTime[limit] &- old.saturatedTime[limit]
            expect("saturated by \(limit.rawValue)", UInt128(grown), atMost: time)
        }
        return faults
    }
}

extension Array {
    fileprivate func sum<Value: BinaryInteger>(_ value: (Element) -> Value) -> Value { reduce(0) { $0 + value($1) } }
}
