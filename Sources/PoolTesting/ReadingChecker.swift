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
        /// For the whole pool, by reason.
        case acquireFailed = "the histogram of failed acquisitions counts every failure"
        /// For the whole pool.
        case leaseDurations = "the histogram of leases counts every lease that ended"
        /// For the whole pool.
        case queueWait = "the histogram of queue waits counts every acquire"
        /// For the whole pool.
        case lifetimes = "the histogram of lifetimes counts every closed connection"
        /// For the whole pool.
        case idleLimit = "idle connections do not exceed max_idle_connections"
        /// For each origin.
        case activeConnections = "active connections do not exceed requests in flight"
        /// For every level.
        case negative = "no level is negative"
        /// For every counter, between consecutive readings.
        case falling = "no counter falls"
        /// For requests, by state.
        case sites = "sums over call sites equal sums over origins"
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
            reading.origins.flatMap { Self.check($0, reading.facts) } + checkWhole(reading) + checkFalls(reading)
        return faults
    }

    /// Checks the reading taken after the shutdown.
    ///
    /// - Returns: the violated rules; empty if there are none.
    public mutating func checkEnd(_ reading: PoolReading) -> [Fault] {
        var faults = check(reading)
        let sites = reading.sites.reduce(0) { $0 + $1.levels.total }
        let levels = reading.levels
        if levels != OriginLevels() || sites != 0 || reading.oldestQueued != nil || reading.resolving ?? 0 != 0 {
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
        let (acquires, ended) = (origin.acquires.total, origin.leasesEnded)
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
        expect(.acquired, reading.durations.acquired.count, sum(\.acquires.total))
        for reason in AcquireFailure.allCases {
            expect(.acquireFailed, reading.durations.acquireFailed(reason).count, sum { $0.acquireFailures[reason] })
        }
        expect(.leaseDurations, reading.durations.lease.count, sum(\.leasesEnded))
        let sites = reading.sites.map(\.levels)
        let requests = reading.levels.requests
        let found = [sites.sum(\.queued), sites.sum(\.connecting), sites.sum(\.inFlight)]
        let expected = [requests.queued, requests.connecting, requests.inFlight]
        if found != expected { faults.append(Fault(rule: .sites, detail: "\(found) instead of \(expected)")) }
        if reading.facts.contains(.slots) {
            expect(.queueWait, reading.durations.queueWait.count, sum(\.acquires.total))
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

    private mutating func checkFalls(_ reading: PoolReading) -> [Fault] {
        let counters = Counters(reading)
        defer { last = counters }
        guard let last else { return [] }
        return last.values.compactMap { name, before in
            let now = counters.values[name] ?? 0
            return now < before ? Fault(rule: .falling, detail: "\(name) from \(before) to \(now)") : nil
        }
    }
}

/// Every counter of a reading, by name.
private struct Counters: Sendable {
    private(set) var values: [String: UInt64] = [:]

    init(_ reading: PoolReading) {
        for origin in reading.origins {
            for kind in AcquireKind.allCases { values["\(origin.label) \(kind)"] = origin.acquires[kind] }
            for reason in AcquireFailure.allCases {
                values["\(origin.label) not \(reason)"] = origin.acquireFailures[reason]
            }
            for reason in ConnectFailure.allCases {
                values["\(origin.label) no \(reason)"] = origin.connectFailures[reason]
            }
            for reason in CloseReason.allCases {
                values["\(origin.label) closed \(reason)"] = origin.connectionsClosed[reason]
            }
            for limit in PoolLimit.allCases { values["\(origin.label) behind \(limit)"] = origin.limitWaits[limit] }
            values["\(origin.label) opened"] = origin.connectionsOpened
            values["\(origin.label) leases"] = origin.leasesEnded
            values["\(origin.label) retries"] = origin.staleRetries
        }
        for site in reading.sites { values["site \(site.label)"] = site.leasesEnded }
        values["configuration changes"] = reading.configurationChanges
    }
}

extension [RequestLevels] {
    fileprivate func sum(_ level: (RequestLevels) -> Int) -> Int { reduce(0) { $0 + level($1) } }
}
