package import HTTPPool
package import PoolMetrics

/// Chooses what is worth a line in the log among the notable events of a pool: episodes of saturation, and overdue leases.
///
/// A value without a clock. Of each limit, one episode in a minute is reported at once, and one that goes on for a minute after
/// that; of overdue leases, ten in a minute. The others are counted in the next line.
package struct PoolWatch: Sendable {
    /// A line of the log, at level warning.
    package enum Line: Sendable, Equatable {
        /// A limit began to keep requests waiting; `queued` are waiting now.
        case saturated(PoolLimit, value: Int?, queued: Int)
        /// The limit keeps nobody waiting any more.
        ///
        /// `lasted` is in nanoseconds; `waited` counts requests; `unreported` counts the episodes since the last report that had
        /// no line of their own.
        case relieved(PoolLimit, lasted: UInt64, waited: UInt64, unreported: Int)
        /// No byte of a lease has moved for too long.
        case overdue(NotableEvent.OverdueLease, origin: String)
        /// More leases are overdue than are reported one by one.
        case moreOverdue(Int)
    }

    /// What the watch sees of a pool.
    package struct Observation: Sendable {
        package var now: MonotonicTime
        /// The notable events since the last observation.
        package var events: [NotableEvent] = []
        /// The episodes of saturation that go on.
        package var saturations: [SaturationEpisode] = []
        /// Requests that are queued.
        package var queued = 0

        package init(now: MonotonicTime) { self.now = now }
    }

    /// The time between two reports of the same limit's saturation, and the time in which ``leasesPerPeriod`` are reported.
    package static let period: UInt64 = 60_000_000_000
    /// How many overdue leases are reported one by one in a ``period``.
    package static let leasesPerPeriod = 10

    /// What was reported of a limit.
    private struct Reports {
        /// When the last reported episode began.
        var last: MonotonicTime?
        /// The episode that goes on and was not reported.
        var pending: (value: Int?, began: MonotonicTime)?
        /// Whether the episode that goes on was reported.
        var isOpen = false
        var unreported = 0
    }

    private var reports: [PoolLimit: Reports] = [:]
    private var saturations: [SaturationEpisode] = []
    private var leasePeriodBegan: MonotonicTime?
    private var leasesReported = 0
    /// Overdue leases without a line of their own that no line has counted yet.
    private var leasesUnreported = 0

    package init() {}

    /// The lines for what happened since the last observation.
    package mutating func observe(_ observation: Observation) -> [Line] {
        var lines = observation.events.flatMap { saturation($0, observation) }
        for limit in PoolLimit.allCases { lines += goesOn(limit, observation) }
        saturations = observation.saturations
        return lines + overdue(observation)
    }

    /// The lines for the episodes that go on when the pool ends.
    package mutating func finish() -> [Line] {
        defer { saturations = [] }
        return saturations.compactMap { episode in
            relieved(episode.limit, lasted: episode.lastHeld - episode.began, waited: episode.waited)
        }
    }

    private mutating func saturation(_ event: NotableEvent, _ observation: Observation) -> [Line] {
        switch event.kind {
        case .saturationBegan(let limit, let value):
            if let last = reports[limit]?.last, event.first - last < Self.period {
                reports[limit]?.pending = (value, event.first)
                return []
            }
            return [saturated(limit, value, event.first, observation)]
        case .saturationEnded(let limit, let lasted, let waited):
            return relieved(limit, lasted: lasted, waited: waited).map { [$0] } ?? []
        default: return []
        }
    }

    /// An episode that was too soon after another one, but goes on for long.
    private mutating func goesOn(_ limit: PoolLimit, _ observation: Observation) -> [Line] {
        guard let pending = reports[limit]?.pending, observation.now - pending.began >= Self.period else { return [] }
        return [saturated(limit, pending.value, observation.now, observation)]
    }

    private mutating func saturated(
        _ limit: PoolLimit,
        _ value: Int?,
        _ time: MonotonicTime,
        _ observation: Observation
    ) -> Line {
        var report = reports[limit] ?? Reports()
        report.last = time
        report.pending = nil
        report.isOpen = true
        reports[limit] = report
        return .saturated(limit, value: value, queued: observation.queued)
    }

    private mutating func relieved(_ limit: PoolLimit, lasted: UInt64, waited: UInt64) -> Line? {
        var report = reports[limit] ?? Reports()
        defer { reports[limit] = report }
        guard report.isOpen else {
            report.pending = nil
            report.unreported += 1
            return nil
        }
        report.isOpen = false
        let unreported = report.unreported
        report.unreported = 0
        return .relieved(limit, lasted: lasted, waited: waited, unreported: unreported)
    }

    private mutating func overdue(_ observation: Observation) -> [Line] {
        if leasePeriodBegan.map({ observation.now - $0 >= Self.period }) ?? false {
            leasePeriodBegan = nil
            leasesReported = 0
        }
        let new = observation.events.compactMap { event -> Line? in
            guard case .overdueLease(let lease) = event.kind else { return nil }
            return .overdue(lease, origin: event.origin ?? "")
        }
        leasesUnreported += new.count
        guard leasesUnreported > 0, leasesReported <= Self.leasesPerPeriod else { return [] }
        if leasePeriodBegan == nil { leasePeriodBegan = observation.now }
        var lines = Array(new.prefix(Self.leasesPerPeriod - leasesReported))
        leasesUnreported -= lines.count
        leasesReported += lines.count
        if leasesUnreported > 0 {
            lines.append(.moreOverdue(leasesUnreported))
            leasesUnreported = 0
            // Closes the period.
            leasesReported = Self.leasesPerPeriod + 1
        }
        return lines
    }
}
