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
    /// Whether the last reload of the settings succeeded; `nil` if they are not followed.
    public let lastReloadSucceeded: Bool?
    /// How often a reload of the settings failed.
    public let reloadFailures: UInt64
    /// Why the last reload of the settings failed; `nil` if it succeeded, or if nobody said.
    public let reloadProblem: String?
    /// Whether the pool is shutting down, or has ended.
    public let isEnding: Bool
    /// Whether the pool has ended. Its last numbers are still served for a while.
    public let hasEnded: Bool
    /// The client and TLS libraries.
    public let backend: PoolBackend
    /// When the snapshot was taken, on the pool's clock.
    public let now: MonotonicTime
    /// The origins: as many as `PoolSeries` allows, and rows `other` and `retired` for the rest.
    public let origins: [OriginReading]
    /// The call sites: as many as `PoolSeries` allows, and rows `other` and `retired` for the rest.
    public internal(set) var sites: [SiteReading]
    /// Histograms of durations.
    public internal(set) var durations: PoolDurations
    /// When the oldest queued request was submitted; `nil` if none is queued.
    public let oldestQueued: MonotonicTime?
    /// When the oldest live lease got its connection; `nil` if no request holds one, or if the pool does not report leases.
    public let oldestLease: MonotonicTime?
    /// Leases on which no byte has moved for the time set (`PoolSeries`); `nil` if the pool does not report it.
    public internal(set) var overdueLeases: OverdueLeases?
    /// The limits that keep at least one request waiting.
    public internal(set) var saturation: PoolSaturation
    /// The highest levels of the last 60 seconds.
    public internal(set) var peaks: PoolPeaks
    /// Levels of the whole pool over time.
    package internal(set) var history: PoolHistory
    /// The number of DNS look-ups that connections wait for; `nil` if the pool does not report them.
    public let resolving: Int?
    /// When the pool last reported a turn; `nil` if never.
    public let lastTurn: MonotonicTime?
    /// The current activity of the pool's thread.
    public let activity: ThreadActivity
    /// The facts that the pool reports. Numbers that depend on other facts are 0 and meaningless.
    public let facts: PoolFacts

    init(name: String, pool: any ObservablePool, _ snapshot: PoolMeter.Snapshot, hasEnded: Bool = false) {
        var tally = snapshot.tally
        let unreported = tally.add(snapshot.pending)
        self.name = name
        self.configuration = tally.configuration
        self.configurationChanges = tally.configurationChanges
        self.configurationSince = tally.configurationSince
        self.configurationChanged = tally.configurationChanged
        self.lastReloadSucceeded = snapshot.reloads.lastSucceeded
        self.reloadFailures = snapshot.reloads.failures
        self.reloadProblem = snapshot.reloads.problem
        self.isEnding = hasEnded || tally.isEnding
        self.hasEnded = hasEnded
        self.backend = pool.backend
        self.now = snapshot.now
        self.activity = snapshot.activity
        self.facts = pool.facts
        self.origins = tally.origins.rows
        self.sites = tally.sites.rows
        self.durations = tally.durations
        self.oldestQueued = tally.oldestQueued
        self.oldestLease = facts.contains(.leaseStates) ? snapshot.oldestLease : nil
        self.overdueLeases = facts.contains(.leaseStates) ? Self.overdue(snapshot) : nil
        self.saturation = tally.history.saturation
        self.peaks = tally.history.peaks(at: snapshot.now, unreported: unreported)
        self.history = tally.history
        self.resolving = facts.contains(.lookUps) ? tally.resolving : nil
        self.lastTurn = tally.lastTurn
    }

    private static func overdue(_ snapshot: PoolMeter.Snapshot) -> OverdueLeases {
        snapshot.overdue.reduce(into: OverdueLeases()) { overdue, lease in
            overdue.add(LeaseState(lease.phase, moved: lease.moved).heldBy)
        }
    }

    /// The age of the oldest queued request, in seconds; 0 if none is queued.
    public var oldestQueuedSeconds: Double { oldestQueued.map { Double(now - $0) / 1e9 } ?? 0 }

    /// The age of the oldest lease, in seconds; 0 if no request holds one, `nil` if the pool does not report leases.
    public var oldestLeaseSeconds: Double? {
        facts.contains(.leaseStates) ? oldestLease.map { Double(now - $0) / 1e9 } ?? 0 : nil
    }

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

    /// The fraction of acquisitions that reused a connection, 0 to 1; `nil` before the first acquisition.
    public var reuseRatio: Double? {
        let all = origins.reduce(0.0) { $0 + Double($1.acquires.total) }
        let opened = origins.reduce(0.0) { $0 + Double($1.acquires[.new]) }
        return all > 0 ? (all - opened) / all : nil
    }

    /// The sum of the levels of all origins.
    public var levels: OriginLevels {
        origins.reduce(into: OriginLevels()) { $0.replace(OriginLevels(), with: $1.levels) }
    }

    /// How often a request was queued because of `limit`.
    public func limitWaits(_ limit: PoolLimit) -> UInt64 { origins.reduce(0) { $0 &+ $1.limitWaits[limit] } }
}
