package import HTTPPool

/// How often settings of a pool have taken effect.
package struct SettingCounts: Sendable, Equatable {
    /// Requests that each limit kept waiting.
    private var waits = InlineArray<3, UInt64>(repeating: 0)
    /// Requests that waited in vain for a connection, and those that found the queue full.
    package private(set) var acquireTimeouts: UInt64 = 0
    package private(set) var refused: UInt64 = 0
    package private(set) var connectTimeouts: UInt64 = 0
    /// Requests that had a connection and were ended by a timeout.
    package private(set) var leaseTimeouts: UInt64 = 0
    /// Connections that were closed.
    package private(set) var closedAsSurplus: UInt64 = 0
    package private(set) var closedAsIdle: UInt64 = 0
    package private(set) var closedForAge: UInt64 = 0

    package init() {}

    /// The sum over all origins since the pool was made.
    package init(_ rows: [OriginReading]) {
        for row in rows {
            for limit in PoolLimit.allCases { waits[limit.position] &+= row.limitWaits[limit] }
            acquireTimeouts &+= row.acquireFailures[.timeout]
            refused &+= row.acquireFailures[.rejected]
            connectTimeouts &+= row.connectFailures[.timeout]
            leaseTimeouts &+= row.leases[.timeout]
            closedAsSurplus &+= row.connectionsClosed[.idleSurplus]
            closedAsIdle &+= row.connectionsClosed[.idleExpired]
            closedForAge &+= row.connectionsClosed[.maxLifetime]
        }
    }

    package func waits(for limit: PoolLimit) -> UInt64 { waits[limit.position] }

    /// What was counted since `earlier`.
    func since(_ earlier: SettingCounts) -> SettingCounts {
        var counts = self
        for index in waits.indices { counts.waits[index] &-= earlier.waits[index] }
        counts.acquireTimeouts &-= earlier.acquireTimeouts
        counts.refused &-= earlier.refused
        counts.connectTimeouts &-= earlier.connectTimeouts
        counts.leaseTimeouts &-= earlier.leaseTimeouts
        counts.closedAsSurplus &-= earlier.closedAsSurplus
        counts.closedAsIdle &-= earlier.closedAsIdle
        counts.closedForAge &-= earlier.closedForAge
        return counts
    }

    package static func == (a: SettingCounts, b: SettingCounts) -> Bool {
        a.waits.indices.allSatisfy { a.waits[$0] == b.waits[$0] } && a.acquireTimeouts == b.acquireTimeouts
            && a.refused == b.refused && a.connectTimeouts == b.connectTimeouts && a.leaseTimeouts == b.leaseTimeouts
            && a.closedAsSurplus == b.closedAsSurplus && a.closedAsIdle == b.closedAsIdle
            && a.closedForAge == b.closedForAge
    }
}

/// ``SettingCounts`` at the beginning of each of the last minutes.
struct SettingMarks: Sendable {
    private static let minutes = 10

    /// In order. Between two of them, everything was counted in the minute of the earlier one.
    private var marks: [(minute: Int, counts: SettingCounts)]

    /// The pool is made in this minute.
    init(minute: Int) { marks = [(minute, SettingCounts())] }

    /// A minute begins, perhaps after others in which nothing happened.
    mutating func begin(_ minute: Int, _ counts: SettingCounts) {
        guard let last = marks.last, last.minute < minute else { return }
        marks.append((minute, counts))
        marks.removeAll { $0.minute < minute - Self.minutes }
    }

    /// What was counted in the last 10 to 11 minutes.
    func lately(_ counts: SettingCounts, minute: Int) -> SettingCounts {
        let begin = marks.first { $0.minute >= minute - Self.minutes }
        return counts.since(begin?.counts ?? counts)
    }
}
