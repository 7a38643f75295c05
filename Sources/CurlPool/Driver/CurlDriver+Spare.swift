import HTTPPool

/// Transfers that carry out no request. Each owns an easy handle, which is half the memory of an idle connection;
/// so a connection that stays idle gives its handle up, and only a few spare ones are kept.
extension CurlDriver {
    /// The maximum number of spare transfers kept for later requests.
    private static let keptSpares = 16
    /// How long an idle connection keeps its own handle, in nanoseconds.
    private static let keptPeriod: UInt64 = 1_000_000_000

    /// Returns the connection's own transfer, a spare one, or a new one.
    func idleTransfer(_ own: CurlTransfer?) throws(PoolError) -> CurlTransfer {
        if let transfer = own ?? spare.popLast() { return transfer }
        return try CurlTransfer(driver: self)
    }

    /// Keeps a transfer that is no longer on a connection.
    func putAside(_ transfer: CurlTransfer) {
        assert(!spare.contains { $0 === transfer }, "a transfer is put aside once")
        spare.append(transfer)
        if spare.count > Self.keptSpares { expectIdleHandles() }
    }

    /// Schedules ``freeIdleHandles()``.
    func expectIdleHandles() {
        if idleHandlesDue == nil { idleHandlesDue = now + Self.keptPeriod }
    }

    /// Frees handles that have been unused for the kept period. Scans all slots, but at most once per period.
    func freeIdleHandles() {
        guard let due = idleHandlesDue, due <= now else { return }
        idleHandlesDue = nil
        for case let slot? in slots where slot.transfer != nil && !slot.isRunning {
            if now - slot.idleSince < Self.keptPeriod {
                expectIdleHandles()
            } else if let transfer = slot.giveUpTransfer() {
                spare.append(transfer)
            }
        }
        spare.removeLast(max(0, spare.count - Self.keptSpares))
    }
}
