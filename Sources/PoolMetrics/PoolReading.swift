public import HTTPPool

/// A consistent snapshot of a pool, taken between two turns.
public struct PoolReading: Sendable {
    /// The name of the pool.
    public let name: String
    /// The limits and timeouts in force, each with its source.
    public let configuration: PoolConfiguration
    /// How often the limits and timeouts were changed since the pool was created.
    public let configurationChanges: UInt64
    /// When they were last changed, or the pool was created, in seconds since 1970.
    public let configurationSince: Double
    /// When they were last changed, on the pool's clock; `nil` if never.
    public let configurationChanged: MonotonicTime?
    /// The client and TLS libraries.
    public let backend: PoolBackend
    /// When the snapshot was taken, on the pool's clock.
    public let now: MonotonicTime
    /// The origins: at most 64, and a row `other` for the rest.
    public let origins: [OriginReading]
    /// The call sites: at most 32, and a row `other` for the rest.
    public let sites: [SiteReading]
    /// Histograms of durations.
    public internal(set) var durations: PoolDurations
    /// When the oldest queued request was submitted; `nil` if none is queued.
    public let oldestQueued: MonotonicTime?
    /// The number of DNS look-ups that connections wait for; `nil` if the pool does not report them.
    public let resolving: Int?
    /// When the pool last reported a turn; `nil` if never.
    public let lastTurn: MonotonicTime?
    /// The current activity of the pool's thread.
    public let activity: ThreadActivity
    /// The facts that the pool reports. Numbers that depend on other facts are 0 and meaningless.
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

    /// The age of the oldest queued request, in seconds; 0 if none is queued.
    public var oldestQueuedSeconds: Double { oldestQueued.map { Double(now - $0) / 1e9 } ?? 0 }

    /// The time since the last change of limits and timeouts, in seconds; `nil` if there was no change.
    public var configurationAgeSeconds: Double? { configurationChanged.map { Double(now - $0) / 1e9 } }

    /// How long the pool's thread has been working on the current turn, in seconds; 0 while it is idle, `nil` if
    /// unknown.
    public var driverStallSeconds: Double? {
        switch activity {
        case .unknown: nil
        case .asleep: 0
        case .working(let since): Double(now - since) / 1e9
        }
    }

    /// The fraction of acquisitions that reused a connection, 0 to 1; NaN before the first acquisition.
    public var reuseRatio: Double {
        let all = origins.reduce(0.0) { $0 + Double($1.acquires.total) }
        let opened = origins.reduce(0.0) { $0 + Double($1.acquires[.new]) }
        return (all - opened) / all
    }

    /// The sum of the levels of all origins.
    public var levels: OriginLevels {
        origins.reduce(into: OriginLevels()) { $0.replace(OriginLevels(), with: $1.levels) }
    }

    /// How often a request was queued because of `limit`.
    public func limitWaits(_ limit: PoolLimit) -> UInt64 { origins.reduce(0) { $0 &+ $1.limitWaits[limit] } }
}

/// One origin of a pool, or all origins without a row of their own.
public struct OriginReading: Sendable {
    /// `scheme://host:port`, or `other`.
    public let label: String
    /// Current connections and requests.
    public internal(set) var levels = OriginLevels()
    /// Successful acquisitions, by kind.
    public internal(set) var acquires = Counts<AcquireKind>()
    /// Failed acquisitions, by reason.
    public internal(set) var acquireFailures = Counts<AcquireFailure>()
    /// Queued requests, by the limit that made them wait.
    public internal(set) var limitWaits = Counts<PoolLimit>()
    /// Connections that became usable.
    public internal(set) var connectionsOpened: UInt64 = 0
    /// Connections that failed to open, by reason.
    public internal(set) var connectFailures = Counts<ConnectFailure>()
    /// Closed connections that had been usable, by reason.
    public internal(set) var connectionsClosed = Counts<CloseReason>()
    /// Requests that released or lost their connection.
    public internal(set) var leasesEnded: UInt64 = 0
    /// Requests that were retried because their reused connection was dead.
    public internal(set) var staleRetries: UInt64 = 0

    init(label: String) { self.label = label }
}

/// One call site of a pool, or all call sites without a row of their own.
public struct SiteReading: Sendable {
    /// The name of the call site, or `other`.
    public let label: String
    /// Current requests.
    public internal(set) var levels = RequestLevels()
    /// Requests that released or lost their connection.
    public internal(set) var leasesEnded: UInt64 = 0
    /// The total time for which these held their connections, in nanoseconds.
    var leasedNanoseconds: UInt128 = 0

    /// The total time for which finished requests held their connections, in seconds.
    public var leasedSeconds: Double { Double(leasedNanoseconds) / 1e9 }

    init(label: String) { self.label = label }
}

extension OriginReading: SeriesRow {}
extension SiteReading: SeriesRow {}
