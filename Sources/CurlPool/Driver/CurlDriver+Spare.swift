import HTTPPool

/// Transfers that are at rest. Each has an easy handle of libcurl, which is half of what an idle connection takes: so a
/// connection that stays idle gives its own up, and few are kept.
extension CurlDriver {
    /// So many are kept for the next requests.
    private static let keptSpares = 16
    /// A connection that was idle for so long may stay it, in nanoseconds.
    private static let restPeriod: UInt64 = 1_000_000_000

    /// A connection's own transfer, or one that is on no connection.
    func restingTransfer(_ own: CurlTransfer?) throws(PoolError) -> CurlTransfer {
        if let transfer = own ?? spare.popLast() { return transfer }
        return try CurlTransfer(driver: self)
    }

    /// Keeps a transfer that is on no connection any more.
    func putAside(_ transfer: CurlTransfer) {
        assert(!spare.contains { $0 === transfer }, "a transfer is put aside once")
        spare.append(transfer)
        if spare.count > Self.keptSpares { expectRest() }
    }

    /// There will be something for ``rest()`` to do.
    func expectRest() {
        if restDue == nil { restDue = now + Self.restPeriod }
    }

    /// Frees handles that nobody has needed for a while. It looks at every slot, but only once in a period.
    func rest() {
        guard let due = restDue, due <= now else { return }
        restDue = nil
        for case let slot? in slots where slot.transfer != nil && !slot.isRunning {
            if now - slot.idleSince < Self.restPeriod {
                expectRest()
            } else if let transfer = slot.giveUpTransfer() {
                spare.append(transfer)
            }
        }
        spare.removeLast(max(0, spare.count - Self.keptSpares))
    }
}
