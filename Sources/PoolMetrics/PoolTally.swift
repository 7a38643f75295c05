import HTTPPool

/// Everything that a pool has reported, added up. As a value type, a copy is a consistent snapshot.
struct PoolTally: Sendable {
    private(set) var origins: SeriesTable<Origin, OriginReading>
    private(set) var sites: SeriesTable<CallSite, SiteReading>
    private(set) var durations = PoolDurations()
    /// The levels of the whole pool over time.
    private(set) var history = PoolHistory()
    /// The time of the last scrape: what it showed must not be taken back by a turn that began before it.
    private var scraped = MonotonicTime(nanoseconds: 0)
    /// The limits and timeouts in force.
    private(set) var configuration: PoolConfiguration
    /// How often the configuration was changed.
    private(set) var configurationChanges: UInt64 = 0
    /// When it was last changed, or the pool was created, in seconds since 1970.
    private(set) var configurationSince: Double
    /// The time of the turn that last changed it; `nil` if none did.
    private(set) var configurationChanged: MonotonicTime?
    /// The number of the last submission covered by the levels.
    private(set) var takenThrough: UInt64 = 0
    /// When the oldest queued request was submitted; `nil` if none is queued.
    private(set) var oldestQueued: MonotonicTime?
    /// The number of DNS look-ups in progress.
    private(set) var resolving = 0
    /// When the last turn ended; `nil` before the first.
    private(set) var lastTurn: MonotonicTime?

    init(configuration: PoolConfiguration, since: Double) {
        let series = configuration.series
        origins = SeriesTable(cap: series.maxOrigins, patience: series.retention)
        sites = SeriesTable(cap: series.maxCallSites, patience: series.retention)
        self.configuration = configuration
        configurationSince = since
    }

    /// Adds a turn.
    ///
    /// - Parameter wall: the current time in seconds since 1970; required only if the turn has a configuration or traces.
    mutating func add(_ turn: borrowing PoolTurn, wall: Double?) {
        if turn.hasConfiguration, let configuration = turn.configuration {
            self.configuration = configuration
            configurationChanges &+= 1
            configurationSince = wall ?? configurationSince
            self.configurationChanged = turn.now
        }
        let now = max(turn.now, scraped)
        for new in turn.newOrigins { origins.introduce(new.origin, as: Int(new.id.index), at: now) }
        for event in turn.events { add(event, at: now) }
        if !turn.traces.isEmpty, let wall { durations.addExemplars(of: turn, wall: wall) }
        for origin in turn.origins { origins.setLevels(origin.levels, of: Int(origin.id.index), at: now) }
        for change in turn.sites {
            meet(change.site, at: now)
            sites.setLevels(change.levels, of: Int(change.site.index), at: now)
        }
        history.set(origins.total, turn.saturation, at: now)
        takenThrough = turn.takenThrough
        oldestQueued = turn.oldestQueued
        resolving = turn.resolving
        lastTurn = turn.now
    }

    /// Prepares for a scrape at `now`: the integrals include the time until then.
    mutating func advance(to now: MonotonicTime) {
        scraped = max(now, scraped)
        origins.advance(to: scraped)
        sites.advance(to: scraped)
        history.advance(to: scraped)
    }

    /// Counts submissions that no turn has reported yet as queued.
    ///
    /// - Returns: how many there are.
    mutating func add(_ pending: [PendingSubmission]) -> Int {
        var count = 0
        for submission in pending where submission.number > takenThrough {
            count += 1
            let origin = origins.row(of: submission.origin, at: scraped)
            origins.adjust(row: origin) { $0.requests.queued += 1 }
            let site = sites.row(of: submission.site, at: scraped)
            sites.adjust(row: site) { $0.queued += 1 }
            oldestQueued = min(oldestQueued ?? submission.submitted, submission.submitted)
        }
        return count
    }

    private mutating func add(_ event: PoolEvent, at now: MonotonicTime) {
        let id = Int(event.origin.index)
        switch event.kind {
        case .acquired(let kind, let waited, let queued):
            origins.update(id, at: now) { $0.acquires[kind] &+= 1 }
            update(event.site, at: now) { $0.acquires &+= 1 }
            durations.acquired.observe(waited)
            durations.queuedAcquired.observe(queued)
        case .acquireFailed(let reason, let waited, let queued):
            origins.update(id, at: now) { $0.acquireFailures[reason] &+= 1 }
            update(event.site, at: now) { $0.acquireFailures &+= 1 }
            durations.acquireFailed.observe(waited)
            durations.queuedFailed.observe(queued)
        case .queued(let limit, _):
            if let limit { origins.update(id, at: now) { $0.limitWaits[limit] &+= 1 } }
        case .connecting: break
        case .connectionOpened(let took):
            origins.update(id, at: now) { $0.connectionsOpened &+= 1 }
            durations.connected.observe(took)
        case .connectFailed(let reason, let took):
            origins.update(id, at: now) { $0.connectFailures[reason] &+= 1 }
            durations.connectFailed.observe(took)
        case .connectionClosed(let reason, let lifetime, let requests):
            origins.update(id, at: now) { $0.connectionsClosed[reason] &+= 1 }
            durations.connectionLifetime.observe(lifetime)
            durations.connectionRequests.observe(UInt64(requests))
        case .responded(let waited):
            origins.update(id, at: now) {
                $0.responses &+= 1
                $0.responseWait &+= UInt128(waited)
            }
            durations.timeToHead.observe(waited)
        case .leaseEnded(let outcome, let held):
            origins.update(id, at: now) { $0.leases[outcome] &+= 1 }
            durations.lease.observe(held)
        case .staleRetry:
            origins.update(id, at: now) { $0.staleRetries &+= 1 }
        }
    }

    private mutating func update(_ site: CallSite, at now: MonotonicTime, _ change: (inout SiteReading) -> Void) {
        meet(site, at: now)
        sites.update(Int(site.index), at: now, change)
    }

    /// Call site numbers are process-wide, so the first occurrence introduces a call site.
    private mutating func meet(_ site: CallSite, at now: MonotonicTime) {
        guard !sites.knows(Int(site.index)) else { return }
        sites.introduce(site, as: Int(site.index), at: now)
    }
}
