/// A histogram of whole numbers: nanoseconds, or requests.
public struct Histogram: Sendable {
    /// The upper bounds, shared by all histograms of a pool with the same unit.
    let bounds: HistogramBounds
    /// The count of each bucket, not cumulative; the last one counts values above all bounds.
    private(set) var buckets: [UInt64]
    /// 128 bits: the nanoseconds of ten thousand waiting requests overflow 64 bits within three weeks, and a sum
    /// must not decrease.
    private var total: UInt128 = 0

    init(bounds: HistogramBounds) {
        self.bounds = bounds
        self.buckets = Array(repeating: 0, count: bounds.upper.count + 1)
    }

    /// Counts a value. Scans from the smallest bound, because most waits are short.
    mutating func observe(_ value: UInt64) {
        var bucket = 0
        let upper = bounds.upper
        while bucket < upper.count, value > upper[bucket] { bucket += 1 }
        buckets[bucket] &+= 1
        total &+= UInt128(value)
    }

    /// The number of values.
    public var count: UInt64 { buckets.reduce(0, &+) }

    /// The sum of all values, in seconds or requests.
    public var sum: Double { Double(total) / bounds.unitsPerOne }

    /// Every upper bound in seconds or requests, the last being infinity, with the number of values up to it.
    public var cumulative: [(bound: Double, count: UInt64)] {
        var below: UInt64 = 0
        return buckets.indices.map { index in
            below &+= buckets[index]
            let isLast = index == bounds.upper.count
            return (isLast ? .infinity : Double(bounds.upper[index]) / bounds.unitsPerOne, below)
        }
    }
}

/// The upper bounds of a histogram's buckets, fixed for the life of a pool.
final class HistogramBounds: Sendable {
    /// In ascending order, in the unit of the observed values.
    let upper: [UInt64]
    /// The number of observed units per exposed unit: 1e9 if nanoseconds are exposed as seconds.
    let unitsPerOne: Double
    /// The line endings `,le="0.1"} ` of every bound and of `+Inf`, rendered once instead of at every scrape.
    let endings: [[UInt8]]

    private init(upper: [UInt64], unitsPerOne: Double) {
        self.upper = upper
        self.unitsPerOne = unitsPerOne
        let shown = upper.map { Double($0) / unitsPerOne } + [.infinity]
        self.endings = shown.map { bound in
            var text: [UInt8] = []
            text.append(text: ",le=\"")
            text.append(canonicalFloat: bound)
            text.append(text: "\"} ")
            return text
        }
    }

    /// The bounds for durations. The acquire timeout is one of them, so that waits up to the timeout can be counted
    /// exactly.
    static func durations(acquireTimeout: UInt64?) -> HistogramBounds {
        var upper = microseconds.map { $0 * 1000 }
        if let acquireTimeout, acquireTimeout > 0, !upper.contains(acquireTimeout) {
            upper.append(acquireTimeout)
            upper.sort()
        }
        return HistogramBounds(upper: upper, unitsPerOne: 1e9)
    }

    /// The bounds for the number of requests served by a connection.
    static let requests = HistogramBounds(upper: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 10000], unitsPerOne: 1)

    private static let microseconds: [UInt64] = [
        100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
        5_000_000, 10_000_000, 30_000_000,
    ]
}
