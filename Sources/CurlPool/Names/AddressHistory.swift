import HTTPPool

/// Remembers the addresses that recently failed to connect, so that they are tried last.
///
/// Confined to the driver's thread. A pure value: time is passed in.
struct AddressHistory {
    struct Address: Hashable {
        let host: String
        let port: UInt16
    }

    /// The connection attempt delay (RFC 8305, 5) after which an attempt counts as slow, in nanoseconds.
    static let patience: UInt64 = 250_000_000
    /// How long a failure is remembered (RFC 6555, 4.2), in nanoseconds.
    private static let memory: UInt64 = 600_000_000_000
    /// The number of entries above which expired ones are removed.
    private static let many = 1024

    private var failed: [Address: MonotonicTime] = [:]

    mutating func connected(_ address: Address) {
        if !failed.isEmpty { failed[address] = nil }
    }

    mutating func failed(_ address: Address, at now: MonotonicTime) {
        failed[address] = now
        if failed.count > Self.many { failed = failed.filter { now - $0.value < Self.memory } }
        // This many failures within the period are not worth keeping.
        if failed.count > Self.many { failed.removeAll() }
    }

    /// Sorts the addresses into the order in which to try them: first those without a recent failure, in the given
    /// order but alternating between families (RFC 8305, 4); then the others, least recent failure first.
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
        // Keeps the given order among equal times.
        let order = bad.enumerated().sorted { ($0.element.since, $0.offset) < ($1.element.since, $1.offset) }
        return Self.byTurns(good) + order.map(\.element.address)
    }

    /// Alternates between the families, starting with that of the first address.
    private static func byTurns(_ addresses: [String]) -> [String] {
        let isIPv6 = { (address: String) in address.utf8.contains(UInt8(ascii: ":")) }
        guard let first = addresses.first.map(isIPv6) else { return [] }
        let (own, others) = (addresses.filter { isIPv6($0) == first }, addresses.filter { isIPv6($0) != first })
        return (0..<max(own.count, others.count)).flatMap { own[safe: $0] + others[safe: $0] }
    }

    /// When the address last failed; `nil` if that was never or is no longer remembered.
    private func failure(of address: Address, at now: MonotonicTime) -> MonotonicTime? {
        if let since = failed[address], now - since < Self.memory { return since }
        return nil
    }
}

extension [String] {
    /// An array with the element at `index`; empty if it is out of bounds.
    fileprivate subscript(safe index: Int) -> [String] { indices.contains(index) ? [self[index]] : [] }
}
