public import HTTPPool

/// One origin of a pool, or all origins without a row of their own.
public struct OriginReading: Sendable {
    /// `scheme://host:port`; `other` for the origins without a row of their own, `retired` for what given-up rows counted.
    public let label: String
    /// Current connections and requests.
    public internal(set) var levels = OriginLevels()
    /// Successful acquisitions, by kind.
    public internal(set) var acquires = Counts<AcquireKind>()
    /// Failed acquisitions, by reason.
    public internal(set) var acquireFailures = Counts<AcquireFailure>()
    /// Queued requests, by the limit that made them wait.
    public internal(set) var limitWaits = Counts<PoolLimit>()
    /// Requests that had a connection, by how they ended.
    public internal(set) var leases = Counts<LeaseOutcome>()
    /// Final response heads.
    public internal(set) var responses: UInt64 = 0
    /// Connections that became usable.
    public internal(set) var connectionsOpened: UInt64 = 0
    /// Connections that failed to open, by reason.
    public internal(set) var connectFailures = Counts<ConnectFailure>()
    /// Closed connections that had been usable, by reason.
    public internal(set) var connectionsClosed = Counts<CloseReason>()
    /// Requests that were retried because their reused connection was dead.
    public internal(set) var staleRetries: UInt64 = 0
    /// The time from acquisition to the final response head, in nanoseconds.
    var responseWait: UInt128 = 0
    package internal(set) var times = RequestTimes()

    init(label: String) { self.label = label }

    /// Whether it is no single origin.
    package var isShared: Bool {
        label == SeriesTable<Origin, OriginReading>.otherLabel
            || label == SeriesTable<Origin, OriginReading>.retiredLabel
    }

    /// The time for which requests held a connection, live ones included, in seconds.
    public var leaseSeconds: Double { times.leaseSeconds }

    /// The time for which requests waited for a connection, those that still wait included, in seconds.
    public var waitSeconds: Double { times.waitSeconds }

    /// The time from acquisition to the final response head, summed over all responses, in seconds.
    public var responseWaitSeconds: Double { Double(total: responseWait) / 1e9 }
}

extension OriginReading: SeriesRow {
    var hasHadConnection: Bool { connectionsOpened > 0 }

    mutating func advance(to now: MonotonicTime) { times.advance(levels.requests, to: now) }

    var changed: MonotonicTime { times.since }

    mutating func replaceLevels(_ old: OriginLevels, with new: OriginLevels, at now: MonotonicTime) {
        times.advance(levels.requests, to: now)
        times.begin(at: now)
        levels.replace(old, with: new)
    }

    mutating func absorb(_ row: OriginReading) {
        acquires.add(row.acquires)
        acquireFailures.add(row.acquireFailures)
        limitWaits.add(row.limitWaits)
        leases.add(row.leases)
        responses &+= row.responses
        connectionsOpened &+= row.connectionsOpened
        connectFailures.add(row.connectFailures)
        connectionsClosed.add(row.connectionsClosed)
        staleRetries &+= row.staleRetries
        responseWait &+= row.responseWait
        times.add(row.times)
    }
}

/// One call site of a pool, or all call sites without a row of their own.
public struct SiteReading: Sendable {
    /// The name of the call site; `other` for those without a row of their own, `retired` for what given-up rows counted.
    public let label: String
    /// Current requests.
    public internal(set) var levels = RequestLevels()
    /// Successful acquisitions.
    public internal(set) var acquires: UInt64 = 0
    /// Failed acquisitions.
    public internal(set) var acquireFailures: UInt64 = 0
    package internal(set) var times = RequestTimes()

    init(label: String) { self.label = label }

    /// The time for which requests held a connection, live ones included, in seconds.
    public var leaseSeconds: Double { times.leaseSeconds }

    /// The time for which requests waited for a connection, those that still wait included, in seconds.
    public var waitSeconds: Double { times.waitSeconds }
}

extension SiteReading: SeriesRow {
    var hasHadConnection: Bool { acquires > 0 }

    mutating func advance(to now: MonotonicTime) { times.advance(levels, to: now) }

    var changed: MonotonicTime { times.since }

    mutating func replaceLevels(_ old: RequestLevels, with new: RequestLevels, at now: MonotonicTime) {
        times.advance(levels, to: now)
        times.begin(at: now)
        levels.replace(old, with: new)
    }

    mutating func absorb(_ row: SiteReading) {
        acquires &+= row.acquires
        acquireFailures &+= row.acquireFailures
        times.add(row.times)
    }
}

/// The time integrals of requests that wait for a connection and of those that hold one, in nanoseconds.
///
/// 128 bits: the nanoseconds of ten thousand requests overflow 64 bits within three weeks, and a sum must not decrease.
package struct RequestTimes: Sendable {
    /// Queued and connecting requests.
    package private(set) var waited: UInt128 = 0
    /// Requests in flight.
    package private(set) var leased: UInt128 = 0
    /// When the levels last changed, or the time was last added.
    fileprivate var since = MonotonicTime(nanoseconds: 0)

    /// The levels lasted until `now`. A time before the last one adds nothing.
    mutating func advance(_ levels: RequestLevels, to now: MonotonicTime) {
        // A client's levels may be wrong, so negative ones count as none and nothing here can overflow.
        let waiting = levels.queued &+ levels.connecting
        guard now > since, waiting > 0 || levels.inFlight > 0 else { return }
        let time = UInt128(now.nanoseconds &- since.nanoseconds)
        if waiting > 0 { waited &+= time &* UInt128(UInt64(waiting)) }
        if levels.inFlight > 0 { leased &+= time &* UInt128(UInt64(levels.inFlight)) }
        since = now
    }

    /// The levels change at `now`.
    mutating func begin(at now: MonotonicTime) { if now > since { since = now } }

    /// Requests that no level shows have waited.
    mutating func add(waited time: UInt64) { waited &+= UInt128(time) }

    mutating func add(_ other: RequestTimes) {
        waited &+= other.waited
        leased &+= other.leased
    }

    var waitSeconds: Double { Double(total: waited) / 1e9 }
    var leaseSeconds: Double { Double(total: leased) / 1e9 }
}
