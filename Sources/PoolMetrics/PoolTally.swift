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
    /// Whether the pool is shutting down.
    private(set) var isEnding = false
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
    /// - Parameters:
    ///   - trends: gets what happened, by row.
    ///   - wall: the current time in seconds since 1970; required only if the turn has a configuration or traces.
    mutating func add(_ turn: borrowing PoolTurn, _ trends: inout PoolTrends, wall: Double?) {
        let now = max(turn.now, scraped)
        if trends.isCellOver(at: now) { trends.advance(to: now, origins.rows, sites.rows) }
        if turn.hasConfiguration, let configuration = turn.configuration {
            self.configuration = configuration
            configurationChanges &+= 1
            configurationSince = wall ?? configurationSince
            self.configurationChanged = turn.now
            trends.note(.limitsChanged, at: now)
        }
        for new in turn.newOrigins { origins.introduce(new.origin, as: Int(new.id.index), at: now) }
        for failure in turn.failures {
            let row = origins.update(Int(failure.origin.index), at: now) { _ in }
            trends.failed(row, failure.words, at: now)
        }
        for event in turn.events { add(event, &trends, at: now) }
        if !turn.traces.isEmpty, let wall { durations.addExemplars(of: turn, wall: wall) }
        for origin in turn.origins {
            let row = origins.setLevels(origin.levels, of: Int(origin.id.index), at: now)
            if origin.taken.count > 0 {
                let waited = origin.taken.waited(until: now)
                origins.adjust(row: row) { $0.times.add(waited: waited) }
                history.take(origin.taken.count, waited: waited)
            }
            trends.setLevels(origins.rows[row].levels, ofRow: row)
        }
        for change in turn.sites {
            meet(change.site, at: now)
            let row = sites.setLevels(change.levels, of: Int(change.site.index), at: now)
            if change.taken.count > 0 {
                let waited = change.taken.waited(until: now)
                sites.adjust(row: row) { $0.times.add(waited: waited) }
            }
        }
        history.set(origins.total, turn.saturation, at: now)
        trends.setLevels(origins.total)
        if trends.isSaturationNews(turn.saturation) {
            trends.setSaturation(turn.saturation, at: now, configuration, origins.rows)
        }
        if let began = turn.began, now - began >= PoolTurn.stall {
            trends.noteTurn(since: began, at: now, origins.rows)
        }
        if origins.hasReassigned { for row in origins.takeReassigned() { trends.reset(row) } }
        if sites.hasReassigned { for row in sites.takeReassigned() { trends.reset(site: row) } }
        takenThrough = turn.takenThrough
        oldestQueued = turn.oldestQueued
        resolving = turn.resolving
        if turn.isEnding, !isEnding {
            isEnding = true
            trends.note(.shutdown, at: now)
        }
        lastTurn = turn.now
    }

    /// Prepares for a scrape at `now`: the integrals include the time until then, except for submissions that no turn has
    /// reported; see ``add(_:)``.
    mutating func advance(to now: MonotonicTime) {
        scraped = max(now, scraped)
        origins.advance(to: scraped)
        sites.advance(to: scraped)
        history.advance(to: scraped)
    }

    /// A scrape at this moment shows these submissions as queued, so a later one may not show a lower peak.
    mutating func notePeak(_ pending: [PendingSubmission]) {
        let count = pending.count { $0.number > takenThrough }
        if count > 0 { history.notePeak(unreported: count, at: scraped) }
    }

    /// Counts submissions that no turn has reported yet as queued, for a reading. The turn that takes them adds all of
    /// their waiting, so this must be done to a copy.
    ///
    /// - Returns: how many there are.
    mutating func add(_ pending: [PendingSubmission]) -> Int {
        var count = 0
        for submission in pending where submission.number > takenThrough {
            count += 1
            let waited = scraped - submission.submitted
            let origin = origins.provisionalRow(of: submission.origin, at: scraped)
            let site = sites.provisionalRow(of: submission.site, at: scraped)
            origins.adjust(row: origin) { $0.levels.requests.queued += 1 }
            sites.adjust(row: site) { $0.levels.queued += 1 }
            // The turn may give a row of its own to what shares one now. The integral of the shared row would fall.
            if origins.hasKey(origin), sites.hasKey(site) {
                origins.adjust(row: origin) { $0.times.add(waited: waited) }
                sites.adjust(row: site) { $0.times.add(waited: waited) }
                history.add(waited: waited)
            }
            oldestQueued = min(oldestQueued ?? submission.submitted, submission.submitted)
        }
        return count
    }

    private mutating func add(_ event: PoolEvent, _ trends: inout PoolTrends, at now: MonotonicTime) {
        let id = Int(event.origin.index)
        switch event.kind {
        case .acquired(let kind, let waited, let queued):
            origins.update(id, at: now) { $0.acquires[kind] &+= 1 }
            update(event.site, at: now) { $0.acquires &+= 1 }
            durations.acquired.observe(waited)
            durations.queuedAcquired.observe(queued)
        case .acquireFailed(let reason, let waited, let queued):
            let row = origins.update(id, at: now) { $0.acquireFailures[reason] &+= 1 }
            if reason == .rejected { trends.note(.queueFull, origins.rows[row].label, at: now) }
            update(event.site, at: now) { $0.acquireFailures &+= 1 }
            durations.acquireFailed.observe(waited)
            durations.queuedFailed.observe(queued)
        case .queued(let limit, _):
            if let limit {
                origins.update(id, at: now) { $0.limitWaits[limit] &+= 1 }
                trends.waited(behind: limit)
            }
        case .connecting: break
        case .connectionOpened(let took):
            let row = origins.update(id, at: now) { $0.connectionsOpened &+= 1 }
            trends.connected(row)
            durations.connected.observe(took)
        case .connectFailed(let reason, let took):
            let row = origins.update(id, at: now) { $0.connectFailures[reason] &+= 1 }
            trends.connectFailed(reason, row, origins.rows[row].label, at: now)
            durations.connectFailed.observe(took)
        case .connectionClosed(let reason, let lifetime, let requests):
            let row = origins.update(id, at: now) { $0.connectionsClosed[reason] &+= 1 }
            if reason.isUnusual { trends.note(.connectionClosed(reason), origins.rows[row].label, at: now) }
            durations.connectionLifetime.observe(lifetime)
            durations.connectionRequests.observe(UInt64(requests))
        case .responded(let waited):
            let row = origins.update(id, at: now) {
                $0.responses &+= 1
                $0.responseWait &+= UInt128(waited)
            }
            trends.responded(after: waited, row, at: now)
            durations.timeToHead.observe(waited)
        case .leaseEnded(let outcome, let held):
            let row = origins.update(id, at: now) { $0.leases[outcome] &+= 1 }
            if outcome.isSuccess { trends.succeeded(row, at: now) }
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

extension CloseReason {
    /// Whether a person may want to know of each connection that was closed for this reason.
    fileprivate var isUnusual: Bool {
        switch self {
        case .unexpectedData, .unresponsive, .error, .requestTimeout: true
        default: false
        }
    }
}

extension LeaseOutcome {
    /// A complete response that is no error of the server.
    fileprivate var isSuccess: Bool {
        switch self {
        case .success, .redirection, .clientError: true
        default: false
        }
    }
}
