import HTTPPool

/// The recent past of a pool: trends, conditions and notable events.
///
/// A value without a clock, filled by turns, whether anybody looks or not: additions for an event, and some work at the end of
/// each second and of each ten seconds in which there was a turn. Nothing happens while the pool sleeps, and scrapes do not
/// copy it.
struct PoolTrends: Sendable {
    /// An origin's row.
    struct Origin: Sendable {
        var trend = Trend()
        /// The words of its last error, and when it happened.
        var lastError: (words: String, time: MonotonicTime)?
        /// When the last complete response with a status below 500 ended.
        var lastSuccess: MonotonicTime?
        /// When the head of the last response arrived,
        var lastResponse: MonotonicTime?
        /// and of the last one that was not much later than usual.
        var lastQuickResponse: MonotonicTime?
        /// When the first connection failed to open since the last one that opened; 0 if none did.
        var failingSince = MonotonicTime(nanoseconds: 0)
        /// How late it responds, in seconds, at the last tick: the median of its last responses, or the median age of the
        /// requests that wait for one if that is larger and no response of the last second was as quick as usual.
        var respondsIn: Double?
        /// How late it responds usually, in seconds, and the minute for which that was computed.
        private var usual: (seconds: Float?, minute: Int32) = (nil, -1)

        /// Notes a response that took so many nanoseconds.
        mutating func responded(after nanoseconds: UInt64, at now: MonotonicTime) {
            trend.responded(after: nanoseconds)
            lastResponse = now
            if !ConditionRules.isSlow(Double(nanoseconds) / 1e9, usually: usual.seconds.map(Double.init)) {
                lastQuickResponse = now
            }
        }

        /// How late it responds usually, in seconds. Computed once a minute, and only where it is asked for.
        mutating func usualSeconds(current: Int) -> Double? {
            let minute = current / Trend.cellsPerMinute
            if usual.minute != minute {
                usual = (trend.usualSeconds(current: current).map { Float($0) }, Int32(truncatingIfNeeded: minute))
            }
            return usual.seconds.map(Double.init)
        }
    }

    private(set) var pool = Trend()
    /// In the order of the rows of origins.
    private(set) var origins: [Origin] = []
    /// In the order of the rows of call sites.
    private(set) var sites: [SiteMarks] = []
    private(set) var settings: SettingMarks
    private(set) var conditions = ConditionLog()
    private(set) var events = NotableEvents()
    /// When the pool was made.
    let began: MonotonicTime
    /// The number of the running cell.
    private(set) var cell: Int
    private var cellEnd: MonotonicTime
    private var nextTick: MonotonicTime
    private(set) var saturation = SaturationEpisodes()
    private var overdue = OverdueNotes()

    /// In nanoseconds.
    private static let tickPeriod: UInt64 = 1_000_000_000
    /// So long, in nanoseconds, an origin must not have responded as quickly as usual for the age of waiting requests to count.
    private static let silence: UInt64 = 1_000_000_000

    init(at now: MonotonicTime) {
        cell = Trend.cell(of: now)
        cellEnd = MonotonicTime(nanoseconds: UInt64(cell + 1) * Trend.period)
        nextTick = now
        began = now
        settings = SettingMarks(minute: cell / Trend.cellsPerMinute)
    }

    // MARK: What happens

    /// A row was given to another origin.
    mutating func reset(_ row: Int) { if row < origins.count { origins[row] = Origin() } }

    /// A row was given to another call site.
    mutating func reset(site row: Int) { if row < sites.count { sites[row] = SiteMarks() } }

    mutating func setLevels(_ levels: OriginLevels, ofRow row: Int) {
        reserve(row)
        origins[row].trend.setLevels(levels)
    }

    mutating func responded(after nanoseconds: UInt64, _ row: Int, at now: MonotonicTime) {
        reserve(row)
        pool.responded(after: nanoseconds)
        origins[row].responded(after: nanoseconds, at: now)
    }

    mutating func succeeded(_ row: Int, at now: MonotonicTime) {
        reserve(row)
        origins[row].lastSuccess = now
    }

    mutating func failed(_ row: Int, _ words: String, at now: MonotonicTime) {
        reserve(row)
        origins[row].lastError = (words, now)
    }

    mutating func connected(_ row: Int) {
        reserve(row)
        origins[row].failingSince = MonotonicTime(nanoseconds: 0)
    }

    mutating func connectFailed(_ reason: ConnectFailure, _ row: Int, _ label: String, at now: MonotonicTime) {
        reserve(row)
        if reason.isOfPeer, origins[row].failingSince.nanoseconds == 0 { origins[row].failingSince = now }
        let error = origins[row].lastError
        // The words come with the turn that has the failure.
        note(.connectFailed(reason), label, at: now, words: error.flatMap { $0.time == now ? $0.words : nil })
    }

    mutating func note(_ kind: NotableEvent.Kind, _ origin: String? = nil, at now: MonotonicTime, words: String? = nil)
    {
        events.note(kind, origin, at: now, words: words)
    }

    mutating func waited(behind limit: PoolLimit) { saturation.waited(behind: limit) }

    private mutating func reserve(_ row: Int) { while origins.count <= row { origins.append(Origin()) } }

    /// The levels of the whole pool at the end of a turn.
    mutating func setLevels(_ levels: OriginLevels) { pool.setLevels(levels) }

    /// Whether ``setSaturation(_:at:_:_:)`` has anything to do: a limit keeps a request waiting, or did.
    func isSaturationNews(_ new: PoolSaturation) -> Bool { saturation.isNews(new) }

    /// The limits that keep a request waiting at the end of a turn.
    mutating func setSaturation(
        _ new: PoolSaturation,
        at now: MonotonicTime,
        _ configuration: PoolConfiguration,
        _ rows: [OriginReading]
    ) {
        for episode in saturation.set(new, at: now) {
            note(.saturationBegan(episode.limit, value: configuration.limits[episode.limit]), at: now)
            guard episode.limit == .connectionsPerOrigin else {
                conditions.holds(PoolCondition(episode.limit), at: now, held: 0, RecentCounts(rows))
                continue
            }
            let limit = configuration.limits.maxConnectionsPerOrigin
            for row in rows where !row.isShared && ConditionRules.isSaturated(row.levels, limit: limit) {
                conditions.holds(.saturatedPerOrigin, row.label, at: now, RecentCounts(row))
            }
        }
    }

    /// The pool's thread works on a turn that began at `began`; `isOver` if it ended at `now`.
    mutating func noteTurn(since began: MonotonicTime, at now: MonotonicTime, _ rows: [OriginReading]) {
        guard now - began >= PoolTurn.stall else { return }
        hold(.stalled, since: began, at: now, rows)
    }

    /// These leases are overdue.
    ///
    /// - Parameter limit: how many connections the pool may have.
    mutating func note(
        _ leases: [OverdueNotes.Lease],
        at now: MonotonicTime,
        after threshold: UInt64,
        limit: Int,
        _ rows: [OriginReading]
    ) {
        let isSilent = ConditionRules.isSilent(leases.count { $0.phase != .heldByCaller }, limit: limit)
        for lease in overdue.new(among: leases) {
            note(.overdueLease(lease.event(at: now)), rows[lease.row].label, at: now)
        }
        for (row, found) in Dictionary(grouping: leases, by: \.row) where row < rows.count {
            reserve(row)
            let first = found.map(\.moved).min() ?? now
            let since = first + threshold
            origins[row].trend.noteOverdue(found.count, sinceCell: Trend.cell(of: since), current: cell)
            let counts = RecentCounts(rows[row])
            if let ours = found.filter({ $0.phase == .heldByCaller }).map(\.moved).min() {
                hold(.leakSuspected, rows[row].label, since: ours + threshold, at: now, counts)
            }
            if isSilent, let theirs = found.filter({ $0.phase != .heldByCaller }).map(\.moved).min() {
                hold(.upstreamSilent, rows[row].label, since: theirs + threshold, at: now, counts)
            }
        }
        if let first = leases.map(\.moved).min() {
            pool.noteOverdue(leases.count, sinceCell: Trend.cell(of: first + threshold), current: cell)
        }
    }

    // MARK: Time

    /// Whether ``advance(to:_:_:)`` has cells to end.
    func isCellOver(at now: MonotonicTime) -> Bool { now >= cellEnd }

    /// Ends the cells that have passed. Precedes what happened at `now`.
    mutating func advance(to now: MonotonicTime, _ rows: [OriginReading], _ siteRows: [SiteReading]) {
        guard now >= cellEnd else { return }
        let next = Trend.cell(of: now)
        pool.endCells(cell, to: next, RecentCounts(rows))
        for row in origins.indices where row < rows.count {
            origins[row].trend.endCells(cell, to: next, RecentCounts(rows[row]))
        }
        for row in siteRows.indices {
            if row >= sites.count { sites.append(SiteMarks()) }
            sites[row].endCells(cell, to: next, SiteCounts(siteRows[row]))
        }
        if next / Trend.cellsPerMinute > cell / Trend.cellsPerMinute {
            settings.begin(next / Trend.cellsPerMinute, SettingCounts(rows))
        }
        cell = next
        cellEnd = MonotonicTime(nanoseconds: UInt64(next + 1) * Trend.period)
    }

    /// Whether ``tick(at:_:_:waitingAges:)`` is due.
    func isTickDue(at now: MonotonicTime) -> Bool { now >= nextTick }

    /// Looks at the conditions. Follows ``advance(to:_:_:)`` and what happened until `now`.
    ///
    /// - Parameters:
    ///   - rows: the origins.
    ///   - waitingAges: the median age of the requests that wait for a response, by row, in nanoseconds.
    mutating func tick(
        at now: MonotonicTime,
        _ rows: [OriginReading],
        _ configuration: PoolConfiguration,
        waitingAges: [Int: UInt64]
    ) {
        nextTick = now + Self.tickPeriod
        for episode in saturation.end(at: now) {
            let lasted = episode.lastHeld - episode.began
            note(.saturationEnded(episode.limit, lasted: lasted, waited: episode.waited), at: episode.lastHeld)
        }
        let counts = RecentCounts(rows)
        // An origin's own limit is looked at with the origin.
        for episode in saturation.open where episode.limit != .connectionsPerOrigin {
            conditions.holds(
                PoolCondition(episode.limit),
                at: episode.lastHeld,
                since: episode.began,
                held: episode.held,
                counts
            )
        }
        // The shared rows are no origins.
        for row in origins.indices where row < rows.count && !rows[row].isShared {
            look(at: row, rows[row], configuration, waiting: waitingAges[row], at: now)
        }
        let minutes = pool.lastMinutes(3, current: cell)
        let recent = pool.recent(counts, current: cell)
        let limit = configuration.limits.maxConnections
        for condition in ConditionRules.conditions(of: recent, minutes: minutes, limit: limit) {
            hold(condition, at: now, counts)
        }
        for episode in conditions.expire(at: now) where episode.condition.isInEvents {
            let kind = NotableEvent.Kind.conditionEnded(episode.condition, lasted: episode.lasted)
            note(kind, episode.origin, at: episode.lastHeld)
        }
        markTrouble(rows)
    }

    private mutating func look(
        at row: Int,
        _ reading: OriginReading,
        _ configuration: PoolConfiguration,
        waiting: UInt64?,
        at now: MonotonicTime
    ) {
        let counts = RecentCounts(reading)
        let recent = origins[row].trend.recent(counts, current: cell)
        let median = recent.responses > 0 ? origins[row].trend.medianSeconds(current: cell) : nil
        // Of traffic that is mixed, long requests are most of those that wait, but quick responses arrive meanwhile. Of an
        // upstream that has become slow, late ones do.
        let isQuick = origins[row].lastQuickResponse.map { now - $0 < Self.silence } ?? false
        let age = isQuick ? nil : waiting.map { Double($0) / 1e9 }
        let respondsIn = [median, age].compactMap(\.self).max()
        origins[row].respondsIn = respondsIn
        let mayBeSlow = (respondsIn ?? 0) >= ConditionRules.leastDelay
        let origin = ConditionRules.Origin(
            levels: reading.levels,
            recent: recent,
            justNow: origins[row].trend.justNow(counts, current: cell),
            respondsIn: respondsIn,
            usual: mayBeSlow ? origins[row].usualSeconds(current: cell) : nil,
            limit: configuration.limits.maxConnectionsPerOrigin
        )
        for condition in ConditionRules.conditions(of: origin) {
            // It may have responded on older connections after the first failure.
            let since =
                condition == .upstreamDown
                ? max(origins[row].failingSince, origins[row].lastResponse ?? MonotonicTime(nanoseconds: 0)) : nil
            hold(condition, reading.label, since: since, at: now, counts)
        }
    }

    /// A condition of the pool holds.
    mutating func hold(
        _ condition: PoolCondition,
        since: MonotonicTime?,
        at now: MonotonicTime,
        _ rows: [OriginReading]
    ) {
        hold(condition, nil, since: since, at: now, RecentCounts(rows))
    }

    private mutating func hold(
        _ condition: PoolCondition,
        _ origin: String? = nil,
        since: MonotonicTime? = nil,
        at now: MonotonicTime,
        _ counts: RecentCounts
    ) {
        guard let episode = conditions.holds(condition, origin, at: now, since: since, counts),
            condition.isInEvents
        else { return }
        note(.conditionBegan(condition), origin, at: episode.began)
    }

    private mutating func markTrouble(_ rows: [OriginReading]) {
        guard !conditions.isEmpty else { return }
        let troubled = conditions.current.filter(\.condition.isTrouble)
        guard !troubled.isEmpty else { return }
        let isGeneral = troubled.contains { $0.origin == nil }
        let labels = Set(troubled.compactMap(\.origin))
        pool.noteTrouble()
        for row in origins.indices where row < rows.count && (isGeneral || labels.contains(rows[row].label)) {
            origins[row].trend.noteTrouble()
        }
    }
}

extension PoolCondition {
    /// Whether its begin and end are notable events. A limit's are events of their own.
    fileprivate var isInEvents: Bool {
        switch self {
        case .saturated, .saturatedPerOrigin, .saturatedStreams, .reloadFailed, .ending: false
        default: true
        }
    }
}

extension PoolLimits {
    /// The value of a limit; `nil` if it has none, or is the peer's.
    fileprivate subscript(limit: PoolLimit) -> Int? {
        switch limit {
        case .connections: maxConnections
        case .connectionsPerOrigin: maxConnectionsPerOrigin
        case .streams: nil
        }
    }
}
