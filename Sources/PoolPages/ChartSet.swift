import HTTPPool
import PoolMetrics

/// The charts of a page: the last ten minutes, or the last hour where the matter is slow.
struct ChartSet {
    struct Line {
        /// The name in text, and as the title of a chart.
        let name: String
        let title: String
        /// The oldest first; `nil` is what is not known.
        let values: [Double?]
        /// The value at the top of the chart.
        let top: Double
        var limit: Double?
        /// The highest value, against the limit if there is one.
        let peak: String
        let now: String
        /// What the value is to be compared with: `of 10`, `usually 38 ms`.
        var beside = ""
        /// A value in words.
        let words: @Sendable (Double) -> String
    }

    let isHour: Bool
    /// `the upstream above`, `pool shared`
    let subject: String
    /// The upstream that the charts are about; `nil` if it is the whole pool.
    let origin: String?
    private(set) var lines: [Line] = []
    /// The first cell of the trouble, if it began within the time of the charts or before,
    let beganCell: Int?
    /// and when that was.
    let began: String?
    /// When the charts begin.
    let start: String

    var period: String { isHour ? "1 min" : "10 s" }

    init(_ report: PoolReport, _ verdict: Verdict, _ process: ProcessSituation) {
        isHour = verdict.kind == .leakSuspected
        let index = report.origins.firstIndex { $0.label == verdict.origin }
        let isOrigin = index != nil && !isHour
        let trend = isHour ? report.trend : index.map { report.origins[$0].trend } ?? report.trend
        let cells = isHour ? trend.lastHour(current: report.cell) : trend.lastTens(current: report.cell)
        subject = isOrigin ? "the upstream above" : "pool \(report.reading.name)"
        origin = isOrigin ? verdict.origin : nil
        let seconds = isHour ? 60.0 : 10.0
        let now = report.reading.now
        let window = seconds * Double(cells.count)
        start = process.clock(ago: window).dropSeconds
        beganCell = verdict.began.map { began in
            max(0, cells.count - 1 - Int(Double(now - began) / 1e9 / seconds))
        }
        began = verdict.began.flatMap { Double(now - $0) / 1e9 < window ? process.clock($0).dropZone : nil }

        let limits = report.reading.configuration.limits
        let limit =
            isOrigin ? min(limits.maxConnectionsPerOrigin ?? .max, limits.maxConnections) : limits.maxConnections
        let levels =
            isOrigin ? index.map { report.reading.origins[$0].levels } ?? report.reading.levels : report.reading.levels
        // Cells before the pool was made hold nothing.
        let age = Double(now - report.began) / 1e9
        let made = min(cells.count, Int(age / seconds) + 1)
        func known(_ values: [Double?]) -> [Double?] {
            values.enumerated().map { $0.offset < values.count - made ? nil : $0.element }
        }
        func counts(_ name: String, _ title: String, _ values: [Double], least: Double, now: Int?) {
            let peak = values.max() ?? 0
            lines.append(
                Line(
                    name: name,
                    title: title,
                    values: known(values),
                    top: max(least, peak),
                    peak: Phrase.count(Int(peak)),
                    now: Phrase.count(now ?? Int(values.last ?? 0)),
                    beside: peak > 0 ? "at most \(Phrase.count(Int(peak)))" : "",
                    words: { Phrase.count(Int($0)) }
                )
            )
        }
        if isHour {
            let overdue = cells.map { Double($0.overduePeak) }
            lines.append(
                Line(
                    name: "overdue",
                    title: "Overdue leases",
                    values: known(overdue),
                    top: Double(limit),
                    limit: Double(limit),
                    peak: Phrase.count(Int(overdue.max() ?? 0)),
                    now: Phrase.count(Int(overdue.last ?? 0)),
                    beside: "of \(Phrase.count(limit)) connections",
                    words: { Phrase.count(Int($0)) }
                )
            )
        }
        if verdict.kind == .upstreamDown || verdict.kind == .upstreamFailing {
            counts(
                "failures",
                "Failures in \(isHour ? "1 min" : "10 s")",
                cells.map { Double($0.failures) },
                least: 10,
                now: nil
            )
        }
        counts("queued", "Queued requests", cells.map { Double($0.queuedPeak) }, least: 10, now: levels.requests.queued)
        let active = cells.map { report.reading.ofConnections(Double($0.activePeak)) }
        let highest = active.compactMap(\.self).max()
        lines.append(
            Line(
                name: "active",
                title: "Active connections",
                values: known(active),
                top: Double(limit),
                limit: Double(limit),
                peak: highest.map { "\(Int($0))/\(limit)" } ?? "-",
                now: report.reading.count(levels.connections.active),
                beside: "of \(Phrase.count(limit))",
                words: { Phrase.count(Int($0)) }
            )
        )
        let medians = cells.map(\.medianSeconds)
        let longest = medians.compactMap(\.self).max()
        let usual = index.flatMap { report.origins[$0].usual }
        let responds =
            isOrigin ? index.flatMap { report.origins[$0].respondsIn } : medians.suffix(6).compactMap(\.self).last
        lines.append(
            Line(
                name: "responds in",
                title: "Responds in, median",
                values: known(medians),
                top: max(4 * (usual ?? 0), longest ?? 0),
                peak: longest.map(Phrase.duration) ?? "-",
                now: responds.map(Phrase.duration) ?? "-",
                beside: usual.map { "usually \(Phrase.duration($0))" } ?? longest.map {
                    "at most \(Phrase.duration($0))"
                } ?? "",
                words: Phrase.duration
            )
        )
    }

    /// The charts of the pool with the worst finding; `nil` without a pool.
    init?(_ reports: [PoolReport], _ verdict: Verdict, _ process: ProcessSituation) {
        let focus = reports.first { $0.reading.name == verdict.pool } ?? reports.first { !$0.reading.hasEnded }
        guard let focus else { return nil }
        self.init(focus, verdict, process)
    }

    func write(isPlain: Bool, to page: inout TextPage) {
        page.add()
        let heading = "\(isHour ? "last hour   " : "last 10 min ") \(subject.printable); \(period) a column"
        page.add(heading.left(56) + " " + "until now".right(16) + "   peak")
        for line in lines {
            let chart = Sparkline.text(line.values, top: line.top, isPlain: isPlain)
            page.add(line.name.left(12) + " " + chart + " " + line.peak.right(6))
        }
    }
}

extension String {
    /// `03:08:31 UTC` as `03:08`.
    fileprivate var dropSeconds: String { String(dropZone.dropLast(3)) }
    fileprivate var dropZone: String { String(dropLast(4)) }
}
