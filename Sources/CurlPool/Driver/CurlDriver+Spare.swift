import HTTPPool

/// Transfers that carry out no request. Each has an easy handle of libcurl, which is half of what an idle connection takes: so a
/// connection that stays idle gives its own up, and few are kept.
extension CurlDriver {
    /// So many are kept for the next requests.
    private static let keptSpares = 16
    /// For so long an idle connection keeps its own handle, in nanoseconds.
    private static let keptPeriod: UInt64 = 1_000_000_000

    /// A connection's own transfer, or one that is on no connection.
    func idleTransfer(_ own: CurlTransfer?) throws(PoolError) -> CurlTransfer {
        if let transfer = own ?? spare.popLast() { return transfer }
        return try CurlTransfer(driver: self)
    }

    /// Keeps a transfer that is on no connection any more.
    func putAside(_ transfer: CurlTransfer) {
        assert(!spare.contains { $0 === transfer }, "a transfer is put aside once")
        spare.append(transfer)
        if spare.count > Self.keptSpares { expectIdleHandles() }
    }

    /// Something will be to do for ``freeIdleHandles()`` to do.
    func expectIdleHandles() {
        if idleHandlesDue == nil { idleHandlesDue = now + Self.keptPeriod }
    }

    /// Frees handles that nobody has needed for a while. It looks at every slot, but only once in a period.
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
