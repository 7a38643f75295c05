import HTTPPool

/// The overdue leases that have been seen, so that each is noted once.
struct OverdueNotes: Sendable {
    /// A lease on which no byte has moved for too long.
    struct Lease: Sendable {
        let number: RequestNumber
        let connection: ConnectionNumber?
        /// The row of its origin.
        let row: Int
        let site: String
        let phase: RequestPhase
        /// When it got its connection,
        let since: MonotonicTime
        /// and when a byte of it last moved.
        let moved: MonotonicTime

        func event(at now: MonotonicTime) -> NotableEvent.OverdueLease {
            NotableEvent.OverdueLease(
                number: number,
                connection: connection,
                site: site,
                phase: phase,
                age: now - since,
                still: now - moved
            )
        }
    }

    private var known: Set<RequestNumber> = []

    /// Those of `leases`, which are all that are overdue, that were not seen before.
    ///
    /// Only those that are overdue are remembered, so a lease that is overdue again is new again.
    mutating func new(among leases: [Lease]) -> [Lease] {
        guard !leases.isEmpty || !known.isEmpty else { return [] }
        let new = leases.filter { !known.contains($0.number) }
        known = Set(leases.map(\.number))
        return new
    }
}
