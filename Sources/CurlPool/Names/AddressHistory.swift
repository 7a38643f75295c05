import HTTPPool

/// Which addresses did not connect of late: those go behind the others.
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

    mutating func connected(_ address: Address) {
        if !failed.isEmpty { failed[address] = nil }
    }

    mutating func failed(_ address: Address, at now: MonotonicTime) {
        failed[address] = now
        if failed.count > Self.many { failed = failed.filter { now - $0.value < Self.memory } }
        // So many in ten minutes are nobody's history.
        if failed.count > Self.many { failed.removeAll() }
    }

    /// The addresses in the order in which they are to be tried: those that are not known to be bad as they came, the
    /// families by turns (RFC 8305, 4); then the others, what failed the longest ago first.
    func inOrder(_ addresses: [String], port: UInt16, at now: MonotonicTime) -> [String] {
        guard addresses.count > 1 else { return addresses }
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
        return Self.byTurns(good) + order.map(\.element.address)
    }

    /// The first is of the family that it was of, and then they take turns for as long as there are both.
    private static func byTurns(_ addresses: [String]) -> [String] {
        let isIPv6 = { (address: String) in address.utf8.contains(UInt8(ascii: ":")) }
        guard let first = addresses.first.map(isIPv6) else { return [] }
        let (own, others) = (addresses.filter { isIPv6($0) == first }, addresses.filter { isIPv6($0) != first })
        return (0..<max(own.count, others.count)).flatMap { own[safe: $0] + others[safe: $0] }
    }

    /// Since when an address is known to be bad; `nil` where it is not.
    private func failure(of address: Address, at now: MonotonicTime) -> MonotonicTime? {
        if let since = failed[address], now - since < Self.memory { return since }
        return nil
    }
}

extension [String] {
    /// The one at this place, if there is one.
    fileprivate subscript(safe index: Int) -> [String] { indices.contains(index) ? [self[index]] : [] }
}
