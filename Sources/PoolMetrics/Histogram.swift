import HTTPPool

/// A histogram of whole numbers: nanoseconds, or requests.
public struct Histogram: Sendable {
    /// The upper bounds, shared by all histograms of a pool with the same unit.
    let bounds: HistogramBounds
    /// The count of each bucket, not cumulative; the last one counts values above all bounds.
    private(set) var buckets: [UInt64]
    /// The last exemplar of each bucket; empty before the first one.
    private(set) var exemplars: [Exemplar?] = []
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

    /// Keeps an exemplar of a value that was counted, in place of the last one of its bucket.
    mutating func keep(_ value: UInt64, _ trace: TraceID, at time: Double) {
        if exemplars.isEmpty { exemplars = Array(repeating: nil, count: buckets.count) }
        let bucket = bounds.upper.firstIndex { value <= $0 } ?? bounds.upper.count
        exemplars[bucket] = Exemplar(trace: trace, value: Double(value) / bounds.unitsPerOne, time: time)
    }

    /// The number of values.
    public var count: UInt64 { buckets.reduce(0, &+) }

    /// The sum of all values, in seconds or requests.
    public var sum: Double { Double(total: total) / bounds.unitsPerOne }

    /// Every upper bound in seconds or requests, the last being infinity, with the number of values up to it.
    public var cumulative: [Bucket] {
        var below: UInt64 = 0
        return buckets.indices.map { index in
            below &+= buckets[index]
            let isLast = index == bounds.upper.count
            let bound = isLast ? .infinity : Double(bounds.upper[index]) / bounds.unitsPerOne
            let exemplar = exemplars.isEmpty ? nil : exemplars[index]
            return Bucket(bound: bound, count: below, exemplar: exemplar)
        }
    }

    /// A bucket of a histogram, with all below it.
    public struct Bucket: Sendable, Hashable {
        /// The upper bound, in seconds or requests; infinity for the last bucket.
        public let bound: Double
        /// The number of values up to the bound.
        public let count: UInt64
        /// The last traced value that fell into this bucket and none below it.
        public let exemplar: Exemplar?
    }
}

/// The upper bounds of a histogram's buckets.
final class HistogramBounds: Sendable {
    /// In ascending order, in the unit of the observed values.
    let upper: [UInt64]
    /// The number of observed units per exposed unit: 1e9 if nanoseconds are exposed as seconds.
    let unitsPerOne: Double
    /// The line endings `,le="0.1"} ` of every bound and of `+Inf`, rendered once instead of at every scrape.
    let endings: [LastingBytes]

    private init(upper: [UInt64], unitsPerOne: Double) {
        self.upper = upper
        self.unitsPerOne = unitsPerOne
        let shown = upper.map { Double($0) / unitsPerOne } + [.infinity]
        self.endings = shown.map { bound in
            var text: [UInt8] = []
            text.append(text: ",le=\"")
            text.append(canonicalFloat: bound)
            text.append(text: "\"} ")
            return LastingBytes(text)
        }
    }

    // The same in every process, so that histograms of several processes can be added up.

    /// The bounds for waits.
    static let waits = HistogramBounds(milliseconds: times)
    /// The bounds for leases.
    static let leases = HistogramBounds(milliseconds: times + [300_000])
    /// The bounds for the lifetimes of connections.
    static let lifetimes = HistogramBounds(
        milliseconds: [1000, 5000, 15_000, 30_000, 60_000, 300_000, 900_000, 3_600_000, 21_600_000]
    )
    /// The bounds for the number of requests served by a connection.
    static let requests = HistogramBounds(upper: [1, 2, 5, 10, 25, 100, 1000, 10000], unitsPerOne: 1)

    private static let times: [Double] = [
        0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000,
    ]

    private convenience init(milliseconds: [Double]) {
        self.init(upper: milliseconds.map { UInt64($0 * 1e6) }, unitsPerOne: 1e9)
    }
}
