import HTTPPool

/// The conditions that hold, and the last time of each that no longer does.
///
/// A value without a clock. Whoever observes that a condition holds says so, as often as they like; one that nobody has
/// seen holding for a while is over, and ended when it last held.
struct ConditionLog: Sendable {
    private struct Key: Hashable {
        let condition: PoolCondition
        let origin: String?
    }

    private var open: [Key: ConditionEpisode] = [:]
    /// The last episode of each condition that is over, whichever origin it was about.
    private var ended: [PoolCondition: ConditionEpisode] = [:]

    /// Those that hold and were reported, in order of precedence, the longest first.
    var current: [ConditionEpisode] {
        open.values.filter(\.isReported).sorted { one, other in
            one.condition == other.condition
                ? one.began < other.began : one.condition.precedence < other.condition.precedence
        }
    }

    /// The last one of each condition that is over.
    var past: [ConditionEpisode] { ended.values.sorted { $0.lastHeld > $1.lastHeld } }

    /// Whether no condition holds.
    var isEmpty: Bool { open.isEmpty }

    /// The condition holds at `now`.
    ///
    /// - Parameters:
    ///   - since: when it began, if that was before it was noticed.
    ///   - held: for how long of that time it held, in nanoseconds, if that is known; otherwise all of it counts.
    ///   - counts: the counters of its origin, or of the pool.
    /// - Returns: the episode, if it has now held for its ``PoolCondition/hold`` time for the first time.
    @discardableResult
    mutating func holds(
        _ condition: PoolCondition,
        _ origin: String? = nil,
        at now: MonotonicTime,
        since: MonotonicTime? = nil,
        held: UInt64? = nil,
        _ counts: RecentCounts
    ) -> ConditionEpisode? {
        let key = Key(condition: condition, origin: origin)
        var episode =
            open[key]
            ?? ConditionEpisode(
                condition: condition,
                origin: origin,
                began: min(since ?? now, now),
                lastHeld: now,
                countsAtBegin: counts,
                counts: counts
            )
        episode.lastHeld = max(now, episode.lastHeld)
        episode.counts = counts
        let isNews = !episode.isReported && (held ?? episode.lasted) >= condition.hold
        if isNews { episode.isReported = true }
        open[key] = episode
        return isNews ? episode : nil
    }

    /// Ends the conditions that have not held for their ``PoolCondition/quiet`` time.
    ///
    /// - Returns: those of them that were reported, the earliest first.
    mutating func expire(at now: MonotonicTime) -> [ConditionEpisode] {
        guard !open.isEmpty else { return [] }
        var over: [ConditionEpisode] = []
        for (key, episode) in open where now - episode.lastHeld > episode.condition.quiet {
            open[key] = nil
            if episode.isReported { over.append(episode) }
        }
        over.sort { $0.lastHeld < $1.lastHeld }
        for episode in over { ended[episode.condition] = episode }
        return over
    }
}

extension PoolCondition {
    /// The position in order of precedence: what explains or outweighs what.
    package var precedence: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
