public import HTTPPool

/// What a pool is and has done, at one instant between two of its turns.
public struct PoolReading: Sendable {
    /// The name that its owner gave it.
    public let name: String
    /// The limits and timeouts that it obeyed at this instant, each with its source.
    public let configuration: PoolConfiguration
    /// How often others were put in force since it was made.
    public let configurationChanges: UInt64
    /// When these were, in seconds since 1970; when the pool was made, where they never changed.
    public let configurationSince: Double
    /// When these were, on the clock of the pool; `nil` where they never changed.
    public let configurationChanged: MonotonicTime?
    /// The libraries underneath.
    public let backend: PoolBackend
    /// When it was read, on the clock of the pool.
    public let now: MonotonicTime
    /// Its origins: at most 64, and then one row `other` for all the rest.
    public let origins: [OriginReading]
    /// The call sites of its requests: at most 32, and then one row `other` for all the rest.
    public let sites: [SiteReading]
    /// How long things took.
    public internal(set) var durations: PoolDurations
    /// When the request that has been queued the longest was submitted; `nil` when none is queued.
    public let oldestQueued: MonotonicTime?
    /// Names that are being looked up and that connections of the pool wait for; `nil` where the pool does not report them.
    public let resolving: Int?
    /// When the pool last reported a turn; `nil` before the first.
    public let lastTurn: MonotonicTime?
    /// What the pool's thread is doing.
    public let activity: ThreadActivity
    /// What the pool reports. The rest of the numbers stay at 0 and mean nothing.
    public let facts: PoolFacts

    init(
        name: String,
        pool: any ObservablePool,
        now: MonotonicTime,
        tally: consuming PoolTally,
        pending: [PendingSubmission]
    ) {
        tally.add(pending)
        self.name = name
        self.configuration = tally.configuration
        self.configurationChanges = tally.configurationChanges
        self.configurationSince = tally.configurationSince
        self.configurationChanged = tally.configurationChanged
        self.backend = pool.backend
        self.now = now
        self.activity = pool.activity
        self.facts = pool.facts
        self.origins = tally.origins.rows
        self.sites = tally.sites.rows
        self.durations = tally.durations
        self.oldestQueued = tally.oldestQueued
        self.resolving = facts.contains(.lookUps) ? tally.resolving : nil
        self.lastTurn = tally.lastTurn
    }

    /// The age of the request that has been queued the longest, in seconds; 0 when none is queued.
    public var oldestQueuedSeconds: Double { oldestQueued.map { Double(now - $0) / 1e9 } ?? 0 }

    /// How long ago other limits were put in force, in seconds; `nil` where they never changed.
    public var configurationAgeSeconds: Double? { configurationChanged.map { Double(now - $0) / 1e9 } }

    /// How long the pool's thread has been working on one turn, in seconds; 0 while it sleeps, `nil` where that is unknown.
    public var driverStallSeconds: Double? {
        switch activity {
        case .unknown: nil
        case .asleep: 0
        case .working(let since): Double(now - since) / 1e9
        }
    }

    /// The share of acquisitions that needed no new connection, 0 to 1; NaN before the first.
    public var reuseRatio: Double {
        let all = origins.reduce(0.0) { $0 + Double($1.acquires.total) }
        let opened = origins.reduce(0.0) { $0 + Double($1.acquires[.new]) }
        return (all - opened) / all
    }

    /// The levels of all origins together.
    public var levels: OriginLevels {
        origins.reduce(into: OriginLevels()) { $0.replace(OriginLevels(), with: $1.levels) }
    }

    /// How often a request had to queue because of `limit`.
    public func limitWaits(_ limit: PoolLimit) -> UInt64 { origins.reduce(0) { $0 &+ $1.limitWaits[limit] } }
}

/// One origin of a pool, or all of those that have no row of their own.
public struct OriginReading: Sendable {
    /// `scheme://host:port`, or `other`.
    public let label: String
    /// Connections and requests now.
    public internal(set) var levels = OriginLevels()
    /// Acquisitions that ended with a connection, by kind.
    public internal(set) var acquires = Counts<AcquireKind>()
    /// Acquisitions that ended without one, by reason.
    public internal(set) var acquireFailures = Counts<AcquireFailure>()
    /// Requests that had to queue, by the limit that made them.
    public internal(set) var limitWaits = Counts<PoolLimit>()
    /// Connections that became usable.
    public internal(set) var connectionsOpened: UInt64 = 0
    /// Connections that never became usable, by reason.
    public internal(set) var connectFailures = Counts<ConnectFailure>()
    /// Usable connections that were closed, by reason.
    public internal(set) var connectionsClosed = Counts<CloseReason>()
    /// Requests that gave their connection back, or lost it.
    public internal(set) var leasesEnded: UInt64 = 0
    /// Requests that were sent again because a reused connection was dead.
    public internal(set) var staleRetries: UInt64 = 0

    init(label: String) { self.label = label }
}

/// One call site of a pool's requests, or all of those that have no row of their own.
public struct SiteReading: Sendable {
    /// The name of the call site, or `other`.
    public let label: String
    /// Requests now.
    public internal(set) var levels = RequestLevels()
    /// Requests that gave their connection back, or lost it.
    public internal(set) var leasesEnded: UInt64 = 0
    /// For how long these held their connections, together.
    var leasedNanoseconds: UInt128 = 0

    /// For how long requests that are over held their connections, together, in seconds.
    public var leasedSeconds: Double { Double(leasedNanoseconds) / 1e9 }

    init(label: String) { self.label = label }
}

extension OriginReading: SeriesRow {}
extension SiteReading: SeriesRow {}
