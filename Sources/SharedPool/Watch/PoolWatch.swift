package import HTTPPool

/// Finds what is worth a line in the log: episodes of saturation, and overdue leases.
///
/// A value without a clock. It is given an observation each second and returns what happened. An episode begins when a limit
/// makes a request wait, and ends when for five seconds the limit kept nobody waiting; so a pool at the edge of its limit is
/// one long episode. Each lease is reported once. Of both, only so many are reported in a minute.
package struct PoolWatch: Sendable {
    /// A line of the log, at level warning.
    package enum Event: Sendable, Equatable {
        /// A limit began to keep requests waiting.
        case saturated(PoolLimit, value: Int?, queued: Int)
        /// The limit keeps nobody waiting any more.
        ///
        /// `lasted` is in nanoseconds, from the first observation to the last one with a waiting request; `waited` counts
        /// requests; `unreported` counts the episodes since the last report that had no line of their own.
        case relieved(PoolLimit, lasted: UInt64, waited: UInt64, unreported: Int)
        /// No byte of a lease has moved for too long: `age` is the time since it got its connection, `still` the time since a
        /// byte last moved, in nanoseconds.
        case overdue(PoolObservation.OverdueLease, age: UInt64, still: UInt64)
        /// More leases are overdue than are reported one by one.
        case moreOverdue(Int)
    }

    /// For so long, in nanoseconds, a limit must keep nobody waiting before its episode ends.
    package static let quiet: UInt64 = 5_000_000_000
    /// The time between two reports of the same limit's saturation, and the time in which ``leasesPerPeriod`` are reported.
    package static let period: UInt64 = 60_000_000_000
    /// How many overdue leases are reported one by one in a ``period``.
    package static let leasesPerPeriod = 10

    private struct Episode {
        var began: MonotonicTime
        var lastWait: MonotonicTime
        /// The count of waits before the episode.
        var waitsBefore: UInt64
        var isReported: Bool
    }

    private var episodes: [PoolLimit: Episode] = [:]
    private var waits: [PoolLimit: UInt64] = [:]
    /// When the last reported episode of a limit began.
    private var lastReport: [PoolLimit: MonotonicTime] = [:]
    private var unreported: [PoolLimit: Int] = [:]
    private var knownLeases: Set<RequestNumber> = []
    private var leasePeriodBegan: MonotonicTime?
    private var leasesReported = 0
    /// New overdue leases without a line of their own that no line has counted yet.
    private var leasesUnreported = 0
    private static let mostKnownLeases = 4096

    package init() {}

    /// What happened since the last observation, the one before it in time.
    package mutating func observe(_ observation: PoolObservation) -> [Event] {
        PoolLimit.allCases.flatMap { saturation(of: $0, observation) } + overdue(observation)
    }

    /// The ends of the episodes that go on, because the pool is shutting down.
    package mutating func finish() -> [Event] {
        PoolLimit.allCases.compactMap { limit in
            episodes.removeValue(forKey: limit).flatMap { end(of: limit, $0, waits: waits[limit] ?? 0) }
        }
    }

    private mutating func saturation(of limit: PoolLimit, _ observation: PoolObservation) -> [Event] {
        let waited = observation.waits[limit] ?? 0
        // At the first observation, those that wait at the moment are known, and of those before it nothing.
        let isSaturated = observation.saturation.contains(limit)
        let waiting = isSaturated ? min(waited, UInt64(max(0, observation.queued))) : 0
        let before = waits.updateValue(waited, forKey: limit) ?? waited - waiting
        let keepsWaiting = isSaturated || waited > before
        guard var episode = episodes[limit] else {
            guard keepsWaiting else { return [] }
            let isReported = lastReport[limit].map { observation.now - $0 >= Self.period } ?? true
            episodes[limit] = Episode(
                began: observation.now,
                lastWait: observation.now,
                waitsBefore: before,
                isReported: isReported
            )
            guard isReported else { return [] }
            lastReport[limit] = observation.now
            return [.saturated(limit, value: observation.limits[limit], queued: observation.queued)]
        }
        if keepsWaiting {
            episode.lastWait = observation.now
            episodes[limit] = episode
            // An episode that was too soon after another one, but goes on.
            guard !episode.isReported, observation.now - episode.began >= Self.period else { return [] }
            episodes[limit]?.isReported = true
            lastReport[limit] = observation.now
            return [.saturated(limit, value: observation.limits[limit], queued: observation.queued)]
        }
        guard observation.now - episode.lastWait >= Self.quiet else { return [] }
        episodes[limit] = nil
        return end(of: limit, episode, waits: waited).map { [$0] } ?? []
    }

    private mutating func end(of limit: PoolLimit, _ episode: Episode, waits: UInt64) -> Event? {
        guard episode.isReported else {
            unreported[limit, default: 0] += 1
            return nil
        }
        return .relieved(
            limit,
            lasted: episode.lastWait - episode.began,
            waited: waits - min(waits, episode.waitsBefore),
            unreported: unreported.removeValue(forKey: limit) ?? 0
        )
    }

    private mutating func overdue(_ observation: PoolObservation) -> [Event] {
        let now = observation.now
        if leasePeriodBegan.map({ now - $0 >= Self.period }) ?? false {
            leasePeriodBegan = nil
            leasesReported = 0
        }
        let new = observation.overdue.filter { !knownLeases.contains($0.number) }
        knownLeases.formUnion(new.map(\.number))
        // Bounded. What is forgotten is not overdue, so at worst a lease is reported again when it is overdue again.
        if knownLeases.count > Self.mostKnownLeases { knownLeases = Set(observation.overdue.map(\.number)) }
        leasesUnreported += new.count
        guard leasesUnreported > 0, leasesReported <= Self.leasesPerPeriod else { return [] }
        if leasePeriodBegan == nil { leasePeriodBegan = now }
        let shown = new.prefix(Self.leasesPerPeriod - leasesReported)
        leasesUnreported -= shown.count
        leasesReported += shown.count
        var events = shown.map { Event.overdue($0, age: now - $0.since, still: now - $0.moved) }
        if leasesUnreported > 0 {
            events.append(.moreOverdue(leasesUnreported))
            leasesUnreported = 0
            // Closes the period.
            leasesReported = Self.leasesPerPeriod + 1
        }
        return events
    }
}
