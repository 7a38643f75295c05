public import HTTPPool

/// Everything that a pool has reported, added up. As a value type, a copy is a consistent snapshot.
struct PoolTally: Sendable {
    private(set) var origins: SeriesTable<Origin, OriginReading>
    private(set) var sites: SeriesTable<CallSite, SiteReading>
    /// The bounds are fixed when the pool is created, because they must not change while the process runs.
    private(set) var durations: PoolDurations
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

    init(configuration: PoolConfiguration, since: Double, maxOrigins: Int, maxSites: Int) {
        origins = SeriesTable(cap: maxOrigins)
        sites = SeriesTable(cap: maxSites)
        durations = PoolDurations(acquireTimeout: configuration.timeouts.acquire)
        self.configuration = configuration
        configurationSince = since
    }

    /// Adds a turn.
    ///
    /// - Parameter configurationChanged: the current time in seconds since 1970; required only if the turn has a
    ///   configuration.
    mutating func add(_ turn: borrowing PoolTurn, configurationChanged: Double?) {
        if turn.hasConfiguration, let configuration = turn.configuration {
            self.configuration = configuration
            configurationChanges &+= 1
            configurationSince = configurationChanged ?? configurationSince
            self.configurationChanged = turn.now
        }
        for (id, origin) in turn.newOrigins {
            origins.introduce(origin, label: origin.description, as: Int(id.index))
        }
        for event in turn.events { add(event) }
        for (id, levels) in turn.origins { origins.setLevels(levels, of: Int(id.index)) }
        for (site, levels) in turn.sites {
            meet(site)
            sites.setLevels(levels, of: Int(site.index))
        }
        takenThrough = turn.takenThrough
        oldestQueued = turn.oldestQueued
        resolving = turn.resolving
        lastTurn = turn.now
    }

    /// Counts submissions that no turn has reported yet as queued.
    mutating func add(_ pending: [PendingSubmission]) {
        for submission in pending where submission.number > takenThrough {
            let origin = origins.row(of: submission.origin, label: submission.origin.description)
            origins.adjust(row: origin) { $0.requests.queued += 1 }
            let site = sites.row(of: submission.site, label: submission.site.name)
            sites.adjust(row: site) { $0.queued += 1 }
            oldestQueued = min(oldestQueued ?? submission.submitted, submission.submitted)
        }
    }

    private mutating func add(_ event: PoolEvent) {
        let id = event.origin
        switch event.kind {
        case .acquired(let kind, let waited, let queued):
            origins.update(Int(id.index)) { $0.acquires[kind] &+= 1 }
            durations.acquired.observe(waited)
            durations.queueWait.observe(queued)
        case .acquireFailed(let reason, let waited):
            origins.update(Int(id.index)) { $0.acquireFailures[reason] &+= 1 }
            durations.acquireFailed[reason.position].observe(waited)
        case .queued(let limit):
            origins.update(Int(id.index)) { $0.limitWaits[limit] &+= 1 }
        case .connectionOpened(let took):
            origins.update(Int(id.index)) { $0.connectionsOpened &+= 1 }
            durations.connected.observe(took)
        case .connectFailed(let reason, let took):
            origins.update(Int(id.index)) { $0.connectFailures[reason] &+= 1 }
            durations.connectFailed.observe(took)
        case .connectionClosed(let reason, let lifetime, let requests):
            origins.update(Int(id.index)) { $0.connectionsClosed[reason] &+= 1 }
            durations.connectionLifetime.observe(lifetime)
            durations.connectionRequests.observe(UInt64(requests))
        case .leaseEnded(let site, let held):
            origins.update(Int(id.index)) { $0.leasesEnded &+= 1 }
            meet(site)
            sites.update(Int(site.index)) {
                $0.leasesEnded &+= 1
                $0.leasedNanoseconds &+= UInt128(held)
            }
            durations.lease.observe(held)
        case .staleRetry:
            origins.update(Int(id.index)) { $0.staleRetries &+= 1 }
        }
    }

    /// Call site numbers are process-wide, so the first occurrence introduces a call site.
    private mutating func meet(_ site: CallSite) {
        guard !sites.knows(Int(site.index)) else { return }
        sites.introduce(site, label: site.name, as: Int(site.index))
    }
}

/// The histograms of a pool.
public struct PoolDurations: Sendable {
    /// From submission to a ready connection.
    public internal(set) var acquired: Histogram
    /// From submission to failure, by position of the reason.
    var acquireFailed: [Histogram]
    /// From submission to a slot, for requests that acquired a connection.
    public internal(set) var queueWait: Histogram
    /// From the decision to open a connection until it was usable.
    public internal(set) var connected: Histogram
    /// From the decision to open a connection until it failed.
    public internal(set) var connectFailed: Histogram
    /// How long requests held their connections.
    public internal(set) var lease: Histogram
    /// How long usable connections existed.
    public internal(set) var connectionLifetime: Histogram
    /// How many requests a connection had served when it was closed.
    public internal(set) var connectionRequests: Histogram

    init(acquireTimeout: Duration?) {
        let empty = Histogram(bounds: .durations(acquireTimeout: acquireTimeout?.wholeNanoseconds))
        acquired = empty
        acquireFailed = AcquireFailure.allCases.map { _ in empty }
        queueWait = empty
        connected = empty
        connectFailed = empty
        lease = empty
        connectionLifetime = empty
        connectionRequests = Histogram(bounds: .requests)
    }

    /// From submission to failure, for one reason.
    public func acquireFailed(_ reason: AcquireFailure) -> Histogram { acquireFailed[reason.position] }
}
