import HTTPPool

/// Which addresses did not connect of late. libcurl gives the first address half of the time that there is, so those go
/// behind the others.
///
/// It belongs to the driver's thread. A value without clock.
struct AddressHistory {
    struct Address: Hashable {
        let host: String
        let port: UInt16
    }

    /// An attempt that has not connected by then is a slow one (RFC 8305, 5: the connection attempt delay), in nanoseconds.
    static let patience: UInt64 = 250_000_000
    /// How long a failure is remembered (RFC 6555, 4.2), in nanoseconds.
    private static let memory: UInt64 = 600_000_000_000
    /// More than these, and what has run out is thrown away.
    private static let many = 1024

    private var failed: [Address: MonotonicTime] = [:]
    /// Attempts that are under way: how many, and since when the oldest.
    private var trying: [Address: (count: Int, since: MonotonicTime)] = [:]

    mutating func began(_ address: Address, at now: MonotonicTime) {
        trying[address, default: (0, now)].count += 1
    }

    /// An attempt is over. `connected`: whether it led to a connection; `nil` where that was not waited for.
    mutating func ended(_ address: Address, connected: Bool?, at now: MonotonicTime) {
        if let attempts = trying[address] {
            trying[address] = attempts.count > 1 ? (attempts.count - 1, attempts.since) : nil
        }
        switch connected {
        case true?:
            if !failed.isEmpty { failed[address] = nil }
            // It is reachable, whatever became of those before.
            trying[address]?.since = now
        case false?:
            failed[address] = now
            if failed.count > Self.many { failed = failed.filter { now - $0.value < Self.memory } }
        case nil: break
        }
    }

    /// The addresses in the order in which they are to be tried: those that are not known to be bad as they came, then the
    /// others, what failed the longest ago first.
    func inOrder(_ addresses: [String], port: UInt16, at now: MonotonicTime) -> [String] {
        guard addresses.count > 1, !failed.isEmpty || !trying.isEmpty else { return addresses }
        var good: [String] = []
        var bad: [(address: String, since: MonotonicTime)] = []
        for address in addresses {
            if let since = failure(of: Address(host: address, port: port), at: now) {
                bad.append((address, since))
            } else {
                good.append(address)
            }
        }
        // Stable, where several failed at one instant.
        let order = bad.enumerated().sorted { ($0.element.since, $0.offset) < ($1.element.since, $1.offset) }
        return good + order.map(\.element.address)
    }

    /// Since when an address is known to be bad; `nil` where it is not.
    private func failure(of address: Address, at now: MonotonicTime) -> MonotonicTime? {
        if let since = failed[address], now - since < Self.memory { return since }
        if let attempts = trying[address], now - attempts.since >= Self.patience { return now }
        return nil
    }
}
