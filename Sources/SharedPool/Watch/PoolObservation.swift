package import HTTPPool
package import PoolMetrics

/// What a ``PoolWatch`` needs to know of a pool at one moment.
package struct PoolObservation: Sendable {
    /// A lease on which no byte has moved for too long.
    package struct OverdueLease: Sendable, Hashable {
        package var number: RequestNumber
        package var origin: String
        package var site: String
        package var phase: RequestPhase
        /// When it got its connection.
        package var since: MonotonicTime
        /// When a byte of it last moved.
        package var moved: MonotonicTime

        package init(
            number: RequestNumber,
            origin: String,
            site: String,
            phase: RequestPhase,
            since: MonotonicTime,
            moved: MonotonicTime
        ) {
            self.number = number
            self.origin = origin
            self.site = site
            self.phase = phase
            self.since = since
            self.moved = moved
        }
    }

    package var now: MonotonicTime
    /// The limits that keep a request waiting at this moment.
    package var saturation: PoolSaturation = []
    /// How many requests each limit has made wait since the pool was made.
    package var waits: [PoolLimit: UInt64] = [:]
    /// Requests that are queued at this moment.
    package var queued = 0
    /// The values of the limits in force; a limit that has none, or is the peer's, is absent.
    package var limits: [PoolLimit: Int] = [:]
    /// Leases on which no byte has moved for too long.
    package var overdue: [OverdueLease] = []

    package init(now: MonotonicTime) { self.now = now }

    /// What a reading of the pool says. The pool's requests are listed only if a lease is overdue.
    package init(_ reading: PoolReading, of pool: MeasuredPool) {
        now = reading.now
        saturation = reading.saturation
        for limit in PoolLimit.allCases { waits[limit] = reading.limitWaits(limit) }
        queued = reading.levels.requests.queued
        limits[.connections] = reading.configuration.limits.maxConnections
        limits[.connectionsPerOrigin] = reading.configuration.limits.maxConnectionsPerOrigin
        guard let leases = reading.overdueLeases, leases.total > 0 else { return }
        overdue = pool.requests().compactMap { request in
            guard let phase = request.phase, let moved = request.moved, now - moved >= reading.overdueAfter else {
                return nil
            }
            return OverdueLease(
                number: request.number,
                origin: request.origin,
                site: request.site,
                phase: phase,
                since: request.since,
                moved: moved
            )
        }
    }
}
