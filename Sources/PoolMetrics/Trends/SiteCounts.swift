import HTTPPool

/// The counters of a call site that tell what has happened lately, truncated: differences of two are right all the same.
package struct SiteCounts: Sendable {
    package private(set) var acquires: UInt32 = 0
    package private(set) var failures: UInt32 = 0
    /// The time for which its requests held a connection, in microseconds.
    package private(set) var leaseMicroseconds: UInt64 = 0

    init() {}

    init(_ row: SiteReading) {
        acquires = UInt32(truncatingIfNeeded: row.acquires)
        failures = UInt32(truncatingIfNeeded: row.acquireFailures)
        leaseMicroseconds = UInt64(truncatingIfNeeded: row.times.leased / 1000)
    }

    /// What was counted since `earlier`.
    func since(_ earlier: SiteCounts) -> SiteCounts {
        var counts = self
        counts.acquires &-= earlier.acquires
        counts.failures &-= earlier.failures
        counts.leaseMicroseconds &-= earlier.leaseMicroseconds
        return counts
    }
}

/// The counters of a call site at the end of each of the last cells.
struct SiteMarks: Sendable {
    private var marks = InlineArray<7, SiteCounts>(repeating: SiteCounts())

    /// Ends the cells from number `cell` up to number `next`.
    mutating func endCells(_ cell: Int, to next: Int, _ counts: SiteCounts) {
        for cell in max(cell, next - 7)..<next { marks[cell % 7] = counts }
    }

    /// What was counted since the beginning of the cell six before the running one: 60 to 70 s.
    func recent(_ counts: SiteCounts, current: Int) -> SiteCounts { counts.since(marks[current % 7]) }
}
