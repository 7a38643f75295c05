package import HTTPPool

/// A pool at one instant: its numbers, its recent past, and what a person should know of it.
package struct PoolReport: Sendable {
    /// The numbers.
    package let reading: PoolReading
    /// When the pool was made.
    package let began: MonotonicTime
    /// The number of the running cell of trends.
    package let cell: Int
    /// The recent past of the whole pool,
    package let trend: Trend
    /// and of its origins, in the order of ``PoolReading/origins``.
    package let origins: [OriginReport]
    /// What was counted in the last 60 to 70 s by call site, in the order of ``PoolReading/sites``.
    package let sites: [SiteCounts]
    /// What was counted in that time in the whole pool.
    package let recent: RecentCounts
    /// The length of that time, in seconds.
    package let recentSeconds: Double
    /// How often settings took effect in the last ten minutes.
    package let settings: SettingCounts
    /// The conditions that hold, in order of precedence.
    package let conditions: [ConditionEpisode]
    /// The last one of each condition that is over, the latest first.
    package let pastConditions: [ConditionEpisode]
    /// The episodes of saturation that go on.
    package let saturations: [SaturationEpisode]
    /// The notable events, in order.
    package let events: [NotableEvent]
    /// The requests that are not finished: leases first, then those that wait for a connection, the oldest first.
    package let requests: [LiveRequest]

    init(_ reading: PoolReading, _ trends: PoolTrends, _ requests: [LiveRequest]) {
        self.reading = reading
        self.began = trends.began
        self.cell = trends.cell
        self.trend = trends.pool
        // One that was not seen for two seconds is over for a reader, though it counts as going on should it return.
        let recent = trends.conditions.current.partitioned { reading.now - $0.lastHeld > Self.present }
        self.conditions = recent.rest
        self.pastConditions = (recent.matching + trends.conditions.past).sorted { $0.lastHeld > $1.lastHeld }
        self.saturations = trends.saturation.open
        self.events = trends.events.events
        self.requests = requests
        self.sites = reading.sites.enumerated().map { row, site in
            (row < trends.sites.count ? trends.sites[row] : SiteMarks()).recent(SiteCounts(site), current: trends.cell)
        }
        self.recent = trends.pool.recent(RecentCounts(reading.origins), current: trends.cell)
        self.settings = trends.settings.lately(
            SettingCounts(reading.origins),
            minute: trends.cell / Trend.cellsPerMinute
        )
        let begin = UInt64(max(0, trends.cell - Trend.cellsPerMinute)) * Trend.period
        self.recentSeconds = Double(reading.now - max(MonotonicTime(nanoseconds: begin), trends.began)) / 1e9
        // The first of each origin is the oldest.
        var oldestQueued: [String: MonotonicTime] = [:]
        for request in requests where request.phase == .queued && oldestQueued[request.origin] == nil {
            oldestQueued[request.origin] = request.since
        }
        self.origins = reading.origins.enumerated().map { row, origin in
            let past = row < trends.origins.count ? trends.origins[row] : PoolTrends.Origin()
            return OriginReport(origin, past, cell: trends.cell, oldestQueued: oldestQueued[origin.label])
        }
    }

    /// In nanoseconds.
    private static let present: UInt64 = 2_000_000_000

    /// The requests that have a slot, by origin and call site, the largest first. Of more requests than ``requests`` has,
    /// the oldest.
    package var holdings: [Holding] {
        var found: [[String]: Holding] = [:]
        for request in requests where request.phase != .queued {
            found[[request.origin, request.site], default: Holding(origin: request.origin, site: request.site)]
                .add(request)
        }
        return found.values.sorted { ($0.total, $1.origin, $1.site) > ($1.total, $0.origin, $0.site) }
    }
}

/// An origin at one instant, and its recent past.
package struct OriginReport: Sendable {
    /// Its label.
    package let label: String
    /// Its recent past.
    package let trend: Trend
    /// What was counted in the last 60 to 70 s,
    package let recent: RecentCounts
    /// and in the last 10 to 20 s.
    package let justNow: RecentCounts
    /// When the head of the last response arrived; `nil` if none ever did.
    package let lastResponse: MonotonicTime?
    /// The median time of its last responses, in seconds, whatever waits for one now; `nil` without any in the last minute.
    package let median: Double?
    /// How late it responds, in seconds: the larger of the median of its last responses and the median age of the requests that
    /// wait for one; `nil` if nothing is known.
    package let respondsIn: Double?
    /// How late it responds usually, in seconds; `nil` below 100 responses in the last hour.
    package let usual: Double?
    /// The words of its last error, and when it happened.
    package let lastError: (words: String, time: MonotonicTime)?
    /// When the last complete response with a status below 500 ended.
    package let lastSuccess: MonotonicTime?
    /// When the oldest of its queued requests was submitted, if that is known.
    package let oldestQueued: MonotonicTime?

    init(_ reading: OriginReading, _ past: PoolTrends.Origin, cell: Int, oldestQueued: MonotonicTime?) {
        var past = past
        label = reading.label
        trend = past.trend
        recent = past.trend.recent(RecentCounts(reading), current: cell)
        justNow = past.trend.justNow(RecentCounts(reading), current: cell)
        lastResponse = past.lastResponse
        median = recent.responses > 0 ? past.trend.medianSeconds(current: cell) : nil
        respondsIn = past.respondsIn
        usual = past.usualSeconds(current: cell)
        lastError = past.lastError
        lastSuccess = past.lastSuccess
        self.oldestQueued = oldestQueued
    }
}

/// The requests of one origin and call site that have a slot.
package struct Holding: Sendable, Hashable {
    /// The label of the origin,
    package let origin: String
    /// and of the call site.
    package let site: String
    /// Those whose connection is being opened,
    package private(set) var connecting = 0
    /// those that wait for the peer,
    package private(set) var peer = 0
    /// those that wait for the caller,
    package private(set) var caller = 0
    /// and those of which the pool does not report what they wait for.
    package private(set) var unknown = 0
    /// When the oldest of them got its connection, or began to wait for it.
    package private(set) var oldest: MonotonicTime?

    init(origin: String, site: String) {
        self.origin = origin
        self.site = site
    }

    /// All of them.
    package var total: Int { connecting + peer + caller + unknown }

    fileprivate mutating func add(_ request: LiveRequest) {
        oldest = min(oldest ?? request.since, request.since)
        switch request.phase {
        case nil: unknown += 1
        case .queued: break
        case .connecting: connecting += 1
        case .heldByCaller: caller += 1
        case .sending, .waitingForHead, .receiving: peer += 1
        }
    }
}

extension Array {
    /// The elements for which `condition` holds, and the others, in order.
    fileprivate func partitioned(_ condition: (Element) -> Bool) -> (matching: [Element], rest: [Element]) {
        (filter(condition), filter { !condition($0) })
    }
}
