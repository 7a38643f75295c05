/// What a ledger knows of a lease.
struct LedgerLease: Sendable {
    private var isSent = false
    private var hasHead = false
    private var side = LeaseSide.peer
    private var moved: MonotonicTime

    init(began: MonotonicTime = MonotonicTime(nanoseconds: 0)) { moved = began }

    var state: LeaseState {
        let phase: RequestPhase =
            if side == .caller { .heldByCaller } else if hasHead { .receiving } else if isSent { .waitingForHead } else
            {
                .sending
            }
        return LeaseState(phase, moved: moved)
    }

    /// - Returns: whether this is the first report of it.
    mutating func requestSent(at now: MonotonicTime) -> Bool {
        defer { isSent = true }
        (side, moved) = (.peer, now)
        return !isSent
    }

    /// - Returns: whether this is the first report of it.
    mutating func headArrived(at now: MonotonicTime) -> Bool {
        defer { hasHead = true }
        moved = now
        return !hasHead
    }

    mutating func waits(for side: LeaseSide, at now: MonotonicTime) -> Bool {
        (self.side, moved) = (side, now)
        return true
    }
}

/// The places of a ledger's requests: small numbers, reused.
struct LedgerPlaces: Sendable {
    private var free: [Int32] = []
    private var count: Int32 = 0

    mutating func take() -> Int32 {
        if let place = free.popLast() { return place }
        count += 1
        return count - 1
    }

    mutating func release(_ place: Int32) { free.append(place) }
}
