import HTTPPool

/// When an origin or a pool is in a condition that counters and levels show. Pure functions of the last minute.
///
/// Each ratio has a floor of traffic below which there is no condition.
package enum ConditionRules {
    /// An origin is slow only if it responds so much later than usual, in seconds.
    static let leastDelay = 0.25
    /// A pool is near its limit when such a part of its connections is wanted at once.
    package static let nearLimit = 0.8

    /// Silence on such a part of the connections is a condition; on fewer it may be intended, as of long polls.
    package static let silentShare = 0.2
    /// Counts as the limit of a pool that has a higher one, or none.
    package static let mostForSilence = 500

    /// Whether so many connections on which a peer moves nothing are many.
    static func isSilent(_ count: Int, limit: Int) -> Bool {
        count > 0 && Double(count) > silentShare * Double(min(limit, mostForSilence))
    }

    /// What is known of an origin at one moment.
    struct Origin {
        var levels: OriginLevels
        /// What was counted in the last 60 to 70 s,
        var recent: RecentCounts
        /// and in the last 10 to 20 s.
        var justNow: RecentCounts
        /// How late it responds: the larger of the median of its last responses and the median age of the requests that wait
        /// for one now, in seconds.
        var respondsIn: Double?
        /// How late it responds usually, in seconds.
        var usual: Double?
        /// The limit of connections to it, if any.
        var limit: Int?
    }

    /// Whether requests to an origin wait because it has all the connections that it may have.
    static func isSaturated(_ levels: OriginLevels, limit: Int?) -> Bool {
        guard let limit, levels.requests.queued > 0 else { return false }
        return levels.connections.connecting &+ levels.connections.active >= limit
    }

    /// Whether an origin responds much later than usual.
    ///
    /// - Parameters:
    ///   - now: how late it responds, in seconds.
    ///   - usual: how late it responds usually, in seconds.
    package static func isSlow(_ now: Double?, usually usual: Double?) -> Bool {
        guard let now, let usual else { return false }
        return now >= 3 * usual && now >= usual + leastDelay
    }

    static func conditions(of origin: Origin) -> [PoolCondition] {
        var found: [PoolCondition] = []
        let recent = origin.recent
        if isSaturated(origin.levels, limit: origin.limit) { found.append(.saturatedPerOrigin) }
        // Connections that were opened before it went down are within the minute, so the last seconds count as well.
        let isRefusing = [recent, origin.justNow].contains { $0.connectFailuresOfPeer >= 3 && $0.opened == 0 }
        if isRefusing, origin.justNow.responses == 0 { found.append(.upstreamDown) }
        if recent.leases >= 20, UInt64(recent.leaseFailures) * 10 >= UInt64(recent.leases) {
            found.append(.upstreamFailing)
        }
        if isSlow(origin.respondsIn, usually: origin.usual) { found.append(.upstreamSlow) }
        if recent.acquired >= 60, UInt64(recent.acquiredUsed) * 5 < UInt64(recent.acquired) { found.append(.noReuse) }
        return found
    }

    /// - Parameters:
    ///   - minutes: the last three whole minutes.
    static func conditions(
        of pool: RecentCounts,
        minutes: some Collection<TrendCell>,
        limit: Int
    ) -> [PoolCondition] {
        var found: [PoolCondition] = []
        if pool[.noDescriptor] > 0 { found.append(.outOfDescriptors) }
        if pool.closedForRoom >= 30, UInt64(pool.closedForRoom) * 10 >= UInt64(pool.acquired) {
            found.append(.evictionChurn)
        }
        if minutes.allSatisfy({ Double($0.activePeak + $0.queuedPeak) >= nearLimit * Double(limit) }) {
            found.append(.nearLimit)
        }
        return found
    }
}
