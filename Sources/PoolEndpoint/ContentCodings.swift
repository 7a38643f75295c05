import PoolMetrics

/// The codings that a request accepts (RFC 9110, 12.5.3).
struct ContentCodings: Sendable, Hashable {
    private let gzip: Double
    private let identity: Double

    /// - Parameter header: the value of `Accept-Encoding`, several joined by commas; empty without the header.
    init(_ header: String) {
        var weights: [String: Double] = [:]
        for entry in WeightedValue.list(header) { weights[entry.value] = entry.weight }
        // Every other coding. Without `*`, identity is acceptable and nothing else is.
        let others = weights["*"]
        gzip = weights["gzip"] ?? weights["x-gzip"] ?? others ?? 0
        // An unmentioned identity is what remains when no coding is wanted.
        identity = weights["identity"] ?? (others == 0 ? 0 : .leastNonzeroMagnitude)
    }

    /// Whether a body is to be compressed. Identity is used where the request accepts neither: a scrape that is read all
    /// the same is better than a refusal.
    func wantsGzip(bytes: Int) -> Bool {
        guard gzip > 0, gzip >= identity else { return false }
        return identity == 0 || bytes >= Self.least
    }

    /// A body that fits into one packet arrives no sooner when it is smaller.
    private static let least = 1400
}
