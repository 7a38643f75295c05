import HTTPPool
import PoolMetrics

/// The sums of the numbers of one or more pools.
struct PoolTotals: Sendable, Hashable {
    var queued = 0
    var inFlight = 0
    var active = 0
    var idle = 0
    var acquires: UInt64 = 0
    var acquiresNew: UInt64 = 0
    var connectionsOpened: UInt64 = 0

    /// The fraction of acquisitions that reused a connection, 0 to 1; `nil` before the first acquisition.
    var reuseRatio: Double? { acquires == 0 ? nil : Double(acquires - acquiresNew) / Double(acquires) }

    static func += (sum: inout Self, other: Self) {
        sum.queued += other.queued
        sum.inFlight += other.inFlight
        sum.active += other.active
        sum.idle += other.idle
        sum.acquires += other.acquires
        sum.acquiresNew += other.acquiresNew
        sum.connectionsOpened += other.connectionsOpened
    }
}

extension PoolTotals {
    init(_ reading: PoolReading) {
        let levels = reading.levels
        queued = levels.requests.queued
        inFlight = levels.requests.inFlight
        active = levels.connections.active
        idle = levels.connections.idle
        for origin in reading.origins {
            acquires += origin.acquires.total
            acquiresNew += origin.acquires[.new]
            connectionsOpened += origin.connectionsOpened
        }
    }
}
