package import HTTPPool

/// Checks what must hold in every scrape, on what a scraper reads: in each pool of one scrape, and from one scrape to the
/// next.
///
///     var checker = ExpositionChecker()
///     let began = MonotonicTime.now()
///     let page = try ExpositionReader(bytes)
///     #expect(checker.check(page, began: began, ended: .now()) == [])
///
/// Rules of families that a pool does not have are not checked. That buckets are cumulative and agree with their count is
/// checked by ``ExpositionReader`` itself.
package struct ExpositionChecker: Sendable {
    package enum Rule: String, Sendable, CaseIterable {
        case connectionLimit = "connections do not exceed max_connections"
        case openConnections = "opened - closed = active + idle, at each origin"
        case leases = "acquires = leases ended + requests in flight, at each origin"
        case acquired = "the histogram of acquisitions counts every acquire"
        case acquireFailed = "the histogram of failed acquisitions counts every failure"
        case queueWait = "queue waits are counted as acquisitions are"
        case leaseDurations = "the histogram of leases counts every lease that ended"
        case retries = "leases that ended as retried are the stale retries"
        case responses = "the histogram of times to the head counts every response"
        case connects = "the histogram of connects counts every connection and every failure"
        case lifetimes = "the histograms of closed connections count each of them"
        case idleLimit = "idle connections do not exceed max_idle_connections"
        case activeConnections = "active connections do not exceed requests in flight, and equal them on HTTP/1.1"
        case negative = "no gauge is negative"
        case falling = "no counter falls"
        case sites = "sums over call sites equal sums over origins"
        case peaks = "a peak is not below its level"
        case saturation = "a limit keeps requests waiting only while requests wait, and none says that no limit does"
        case waits =
            "requests have waited at least as long as the acquisitions took that ended, but for a turn for each retry"
        case overdue = "overdue leases do not exceed requests in flight"
        case reuse = "the reuse ratio is that of the acquires, and absent without any"
        case growth = "integrals grow by at most the peak multiplied by the time"
        case formats = "both formats carry the same samples"
    }

    package struct Fault: Sendable, Hashable, CustomStringConvertible {
        package let rule: Rule
        package let detail: String
        package var description: String { "\(rule.rawValue): \(detail)" }
    }

    private var counters: [String: Double] = [:]
    private var last: [String: PoolScrape] = [:]
    private var lastBegan: MonotonicTime?
    /// By pool: the limit, or what was connecting or active when it was lowered.
    private var most: [String: Double] = [:]

    package init() {}

    /// Checks a scrape by itself and against the one before.
    ///
    /// - Parameters:
    ///   - began: before the scrape was asked for.
    ///   - ended: after it was read.
    package mutating func check(_ page: ExpositionReader, began: MonotonicTime, ended: MonotonicTime) -> [Fault] {
        let pools = PoolScrape.pools(of: page)
        var faults = checkSamples(of: page)
        for (name, pool) in pools {
            faults += pool.faults + checkLimit(pool, name)
            guard let before = last[name], let lastBegan, ended - lastBegan < 60_000_000_000 else { continue }
            faults += pool.growth(since: before, seconds: Double(ended - lastBegan) / 1e9)
        }
        last = pools
        lastBegan = began
        return faults
    }

    /// What differs between the two formats of one snapshot.
    package static func difference(text: ExpositionReader, openMetrics: ExpositionReader) -> [Fault] {
        func lines(_ page: ExpositionReader) -> Set<String> { Set(page.samples.map { "\($0.series) \($0.value)" }) }
        return lines(text).symmetricDifference(lines(openMetrics)).sorted().map { Fault(rule: .formats, detail: $0) }
    }

    private mutating func checkSamples(of page: ExpositionReader) -> [Fault] {
        var faults: [Fault] = []
        for sample in page.samples {
            guard page.types[sample.family] != "gauge" else {
                if sample.value < 0 {
                    faults.append(Fault(rule: .negative, detail: "\(sample.series) is \(sample.value)"))
                }
                continue
            }
            let (key, value) = (sample.series, sample.value)
            if let before = counters.updateValue(value, forKey: key), value < before {
                faults.append(Fault(rule: .falling, detail: "\(key) from \(before) to \(value)"))
            }
        }
        return faults
    }

    private mutating func checkLimit(_ pool: PoolScrape, _ name: String) -> [Fault] {
        guard let limit = pool.value("max_connections"), pool.has("connections") else { return [] }
        let (open, idle) = (pool.sum("connections"), pool.sum("connections", ["state": "idle"]))
        let allowed = max(limit, min(most[name] ?? 0, open - idle))
        most[name] = allowed
        return open <= allowed ? [] : [Fault(rule: .connectionLimit, detail: "\(open) of \(limit) in \(name)")]
    }
}
