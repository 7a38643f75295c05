package import HTTPPool
package import PoolMetrics

/// How a setting is used: what of it is taken, or how often it ended a request.
package struct SettingUse: Sendable {
    /// `17 open, 33 free`; `nil` if nothing is known.
    package let words: String?

    package init(_ setting: PoolSetting, _ report: PoolReport) {
        let reading = report.reading
        let levels = reading.levels
        let limits = reading.configuration.limits
        let (all, lately) = (SettingCounts(reading.origins), report.settings)
        /// `12 in 10 min, 340 in all`: in the last ten minutes, and since the pool was made.
        func times(_ count: (SettingCounts) -> UInt64, _ what: String) -> String {
            "\(Phrase.count(count(lately))) \(what) in 10 min, \(Phrase.count(count(all))) in all"
        }
        func waits(_ limit: PoolLimit) -> String { times({ $0.waits(for: limit) }, "waited for it") }
        switch setting {
        case .maxConnections:
            let open = reading.ofConnections(levels.connections.total).map {
                "\(Phrase.count($0)) open, \(Phrase.count(max(0, limits.maxConnections - $0))) free; "
            }
            words = (open ?? "") + waits(.connections)
        case .maxConnectionsPerOrigin:
            let full = reading.origins.count { origin in
                limits.maxConnectionsPerOrigin.map { origin.levels.connections.total >= $0 } ?? false
            }
            let of = Phrase.count(reading.origins.count, "upstream")
            let atIt = reading.ofConnections("\(Phrase.count(full)) of \(of) at it; ") ?? ""
            words = limits.maxConnectionsPerOrigin == nil ? nil : atIt + waits(.connectionsPerOrigin)
        case .maxIdleConnections:
            words = reading.ofConnections(
                "\(Phrase.count(levels.connections.idle)) idle; \(times(\.closedAsSurplus, "closed as surplus"))"
            )
        case .maxQueuedRequests:
            words =
                "\(Phrase.count(levels.requests.queued)) queued; \(times(\.refused, "refused"))"
        case .keepaliveExpiry: words = times(\.closedAsIdle, "closed so")
        case .maxConnectionLifetime: words = times(\.closedForAge, "closed so")
        case .acquireTimeout: words = times(\.acquireTimeouts, "ended by it")
        case .connectTimeout: words = times(\.connectTimeouts, "ended by it")
        case .readTimeout: words = times(\.leaseTimeouts, "ended by a read, write or total timeout")
        case .maxOriginSeries: words = "\(Phrase.count(reading.origins.count)) in use"
        case .maxSiteSeries: words = "\(Phrase.count(reading.sites.count)) in use"
        case .overdueLease: words = reading.overdueLeases.map { "\(Phrase.count($0.total)) overdue" }
        default: words = nil
        }
    }
}
