import HTTPPool
import PoolMetrics

/// The charts of a page: the last ten minutes, or the last hour where the matter is slow.
enum Charts {
    static func write(_ report: PoolReport, _ verdict: Verdict, isPlain: Bool, to page: inout TextPage) {
        let isSlow = verdict.kind == .leakSuspected
        let index = report.origins.firstIndex { $0.label == verdict.origin }
        let trend = isSlow ? report.trend : index.map { report.origins[$0].trend } ?? report.trend
        let cells = isSlow ? trend.lastMinutes(current: report.cell) : trend.lastTens(current: report.cell)
        let subject = index != nil && !isSlow ? "the upstream above" : "pool \(report.reading.name.printable)"
        let period = isSlow ? "1 min" : "10 s"
        page.add()
        let heading = "\(isSlow ? "last hour   " : "last 10 min ") \(subject); \(period) a column"
        page.add(heading.left(56) + " " + "until now".right(16) + "   peak")

        let limits = report.reading.configuration.limits
        let limit =
            index != nil && !isSlow
            ? min(limits.maxConnectionsPerOrigin ?? .max, limits.maxConnections) : limits.maxConnections
        // Cells before the pool was made hold nothing.
        let age = Double(report.reading.now - report.began) / 1e9
        let known = min(cells.count, Int(age / (isSlow ? 60 : 10)) + 1)
        func line(_ name: String, _ values: [Double?], top: Double, _ peak: String) {
            let shown = values.enumerated().map { $0.offset < values.count - known ? nil : $0.element }
            page.add(name.left(12) + " " + Sparkline.text(shown, top: top, isPlain: isPlain) + " " + peak.right(6))
        }
        if isSlow {
            let overdue = cells.map { Double($0.overduePeak) }
            line("overdue", overdue, top: Double(limit), Phrase.count(Int(overdue.max() ?? 0)))
        }
        let failures = cells.map { Double($0.failures) }
        if verdict.kind == .upstreamDown || verdict.kind == .upstreamFailing {
            line("failures", failures, top: max(10, failures.max() ?? 0), Phrase.count(Int(failures.max() ?? 0)))
        }
        let queued = cells.map { Double($0.queuedPeak) }
        line("queued", queued, top: max(10, queued.max() ?? 0), Phrase.count(Int(queued.max() ?? 0)))
        let active = cells.map { Double($0.activePeak) }
        line("active", active, top: Double(limit), "\(Int(active.max() ?? 0))/\(limit)")
        let medians = cells.map(\.medianSeconds)
        let longest = medians.compactMap(\.self).max()
        let usual = index.flatMap { report.origins[$0].usual } ?? 0
        line("responds in", medians, top: max(4 * usual, longest ?? 0), longest.map(Phrase.duration) ?? "-")
    }
}
