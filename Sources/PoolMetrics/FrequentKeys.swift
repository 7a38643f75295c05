/// The keys seen most often, in bounded memory: a key that makes up more than one in 32 of all cannot be missed
/// (Misra and Gries, 1982).
struct FrequentKeys<Key: Hashable & Sendable>: Sendable {
    private var counts: [Key: Int] = [:]
    private static var capacity: Int { 32 }

    mutating func note(_ key: Key) {
        if let count = counts[key] {
            counts[key] = count + 1
        } else if counts.count < Self.capacity {
            counts[key] = 1
        } else {
            counts = counts.compactMapValues { $0 > 1 ? $0 - 1 : nil }
        }
    }

    /// Whether no other key was seen more often.
    func isMostFrequent(_ key: Key) -> Bool {
        let count = counts[key] ?? 0
        return counts.values.allSatisfy { $0 <= count }
    }

    mutating func removeAll() { counts.removeAll() }
}
