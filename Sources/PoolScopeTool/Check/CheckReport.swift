import Foundation

/// What `poolscope check` prints, and the status that it exits with: those of a Nagios plugin.
struct CheckReport: Sendable, Hashable {
    enum Status: Int32, Sendable, Comparable {
        case ok = 0
        case warning = 1
        case critical = 2
        case unknown = 3

        static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

        /// - Parameter severity: a severity of the JSON; `nil` for one that is not known.
        init?(severity: String) {
            switch severity {
            case "ok": self = .ok
            case "warning": self = .warning
            case "critical": self = .critical
            default: return nil
            }
        }

        var word: String { "\(self)".uppercased() }
    }

    let status: Status
    let lines: [String]

    var text: String { lines.joined(separator: "\n") }

    /// There is no page, or it cannot be read.
    init(unknown reason: String) {
        self.init(.unknown, ["UNKNOWN - \(reason.onOneLine)"])
    }

    /// - Parameters:
    ///   - pool: the only pool to report about.
    ///   - isVerbose: whether all verdicts are printed, with their evidence and advice.
    init(_ page: StatusPage, pool: String? = nil, isVerbose: Bool = false) {
        var (pools, verdicts) = (page.livePools, page.verdicts)
        if let pool {
            pools = pools.filter { $0.pool == pool }
            verdicts = verdicts.filter { $0.pool == pool }
            guard !pools.isEmpty else {
                let hasEnded = page.pools.contains { $0.pool == pool }
                self.init(unknown: hasEnded ? "pool \(pool) was shut down" : "there is no pool \(pool)")
                return
            }
        }
        var statuses: [Status] = []
        for severity in verdicts.map(\.severity) + (pool == nil ? [page.severity] : []) {
            guard let status = Status(severity: severity) else {
                self.init(unknown: "the page has the severity \(severity), which this poolscope does not know")
                return
            }
            statuses.append(status)
        }
        let worst = statuses.max() ?? .ok
        // The first of the worst, so that the words are those of the status.
        let first = verdicts.first { Status(severity: $0.severity) == worst } ?? verdicts.first
        let headline = first?.headline ?? (pool.map { "nothing is wrong with pool \($0)" } ?? "nothing is wrong")
        var lines = ["\(worst.word) - \(headline)"]
        if isVerbose {
            if let first { lines += Self.words(of: first, isVerbose: true) }
            for verdict in verdicts where verdict.headline != first?.headline || verdict.origin != first?.origin {
                lines += [verdict.headline] + Self.words(of: verdict, isVerbose: true)
            }
        } else if let first {
            lines += Self.words(of: first, isVerbose: false)
        }
        lines = lines.map(\.onOneLine)
        lines.append("| " + Self.measurements(of: pools))
        self.init(worst, lines)
    }

    private init(_ status: Status, _ lines: [String]) {
        self.status = status
        self.lines = lines
    }

    private static func words(of verdict: StatusPage.Verdict, isVerbose: Bool) -> [String] {
        var lines: [String] = []
        if let origin = verdict.origin { lines.append("upstream \(origin)") }
        if let summary = verdict.summary, !summary.isEmpty { lines.append(summary) }
        if isVerbose { lines += (verdict.rows ?? []).map { "\($0.label): \($0.text)" } }
        return lines
    }

    /// The sums over the pools: `label=value;warning;critical;minimum;maximum`. Of a value that is not known, a plugin reports
    /// `U`.
    private static func measurements(of pools: [StatusPage.Pool]) -> String {
        let limits = pools.compactMap(\.connections.limit)
        let limit = limits.isEmpty ? "" : "\(limits.reduce(0) { $0.addingReportingOverflow($1).partialValue })"
        func sum(_ value: (StatusPage.Pool) -> Int) -> Int {
            pools.reduce(0) { $0.addingReportingOverflow(value($1)).partialValue }
        }
        func known(_ value: (StatusPage.Pool) -> Int?) -> String {
            let values = pools.compactMap(value)
            guard values.count == pools.count else { return "U" }
            return "\(values.reduce(0) { $0.addingReportingOverflow($1).partialValue })"
        }
        let oldest = pools.compactMap(\.oldestQueuedSeconds).max() ?? 0
        var items = [
            "active=\(known { $0.connections.active });;;0;\(limit)",
            "idle=\(known { $0.connections.idle });;;0;\(limit)",
            "queued=\(sum { $0.requests.queued });;;0;",
            "oldest_queued=\(String(format: "%.3f", oldest))s;;;0;",
        ]
        if !limit.isEmpty { items.append("limit=\(limit);;;0;") }
        return items.joined(separator: " ")
    }
}

extension String {
    /// The text without line breaks, and without the bar, after which a monitor reads numbers.
    fileprivate var onOneLine: String { printable.replacingOccurrences(of: "|", with: "/") }
}
