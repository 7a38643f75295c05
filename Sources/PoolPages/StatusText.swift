import HTTPPool
package import PoolMetrics

/// The page `/` for terminals: the most severe finding, its evidence and advice, charts, and tables. The last line repeats the
/// finding, because a terminal shows the end of a long page.
package enum StatusText {
    package static func page(
        _ reports: [PoolReport],
        _ process: ProcessSituation,
        _ diagnosis: Diagnosis,
        isPlain: Bool = false
    ) -> String {
        var page = TextPage()
        write(diagnosis, process, to: &page)
        ChartSet(reports, diagnosis.first, process)?.write(isPlain: isPlain, to: &page)
        if !reports.isEmpty {
            page.add()
            PoolTables.pools(reports).write(to: &page)
        }
        for report in reports where !report.reading.hasEnded { tables(report, isOnly: reports.count == 1, to: &page) }
        write(cautions: cautions(reports), to: &page)
        page.add()
        PageFooter.write(
            ["/pools/NAME", "/leases", "/queue", "/events", "/config", "/metrics", "?format=json"],
            process,
            to: &page
        )
        let whose = diagnosis.first.pool.map { ", pool \($0.printable)" } ?? ""
        page.add(wrapping: diagnosis.first.short + whose)
        return page.text
    }

    /// The findings: the first one whole, two more in a line each, the rest counted.
    static func write(_ diagnosis: Diagnosis, _ process: ProcessSituation, to page: inout TextPage) {
        let first = diagnosis.first
        page.add(wrapping: first.headline, rest: "  ")
        if let origin = first.origin { page.add("  " + origin.printable) }
        if !first.summary.isEmpty { page.add(wrapping: first.summary, first: "  ", rest: "  ") }
        let others = diagnosis.verdicts.dropFirst()
        if !others.isEmpty { page.add() }
        for verdict in others.prefix(2) {
            page.add(wrapping: verdict.headline, first: "also  ", rest: "      ")
            if let origin = verdict.origin { page.add("      " + origin.printable) }
        }
        if others.count > 2 { page.add("also  \(Phrase.count(others.count - 2)) more: ?format=json") }
        if !first.rows.isEmpty { page.add() }
        for row in first.rows { page.add(label: row.label, row.text) }
        guard let past = diagnosis.lastTrouble(process) else { return }
        if first.rows.isEmpty { page.add() }
        page.add(label: "last", past)
    }

    // MARK: Tables

    static func tables(_ report: PoolReport, isOnly: Bool, to page: inout TextPage) {
        let reading = report.reading
        guard !reading.origins.isEmpty else { return }
        page.add()
        if !isOnly { page.add("pool \(reading.name.printable)") }
        PoolTables.origins(report).write(to: &page)
        page.add()
        PoolTables.sites(report).write(to: &page)
    }

    private static func write(cautions found: [String], to page: inout TextPage) {
        guard !found.isEmpty else { return }
        page.add()
        for caution in found { page.add(label: "WARNING", caution) }
    }

    /// What may be wrong with the libraries and the settings of the pools, each once.
    static func cautions(_ reports: [PoolReport]) -> [String] {
        var seen: Set<String> = []
        return reports.filter { !$0.reading.hasEnded }.flatMap(\.reading.cautions).filter { seen.insert($0).inserted }
    }
}

/// The last lines of a page: where more is, and which process and time it is about.
enum PageFooter {
    static func write(_ paths: [String], _ process: ProcessSituation, to page: inout TextPage) {
        page.add(wrapping: "more  " + paths.joined(separator: "  "))
        let date = UTCDate(secondsSince1970: process.wallClock)
        let up = process.uptime.map { "  up \(Phrase.duration($0))" } ?? ""
        page.add(wrapping: "\(date.day) \(date.time) UTC  \(process.host.printable)  pid \(process.pid)\(up)")
    }
}

extension Diagnosis {
    /// The latest trouble that is over: `12 min ago UPSTREAM DOWN for 40 s: https://search.example:443`. Another one that went
    /// on meanwhile follows, since of an upstream that was slow and the saturation that it caused the cause ends last.
    func lastTrouble(_ process: ProcessSituation) -> String? {
        let troubles = past.filter(\.kind.isWorthRemembering)
        guard let last = troubles.first else { return nil }
        let other = troubles.dropFirst().first {
            $0.kind.word != last.kind.word && $0.episode.lastHeld > last.episode.began
        }
        return [last, other].compactMap(\.self).map { trouble in
            let ago = Phrase.duration(Double(process.now - trouble.episode.lastHeld) / 1e9)
            let whom = trouble.episode.origin.map { ": \($0)" } ?? ", pool \(trouble.pool)"
            let lasted = Phrase.duration(Double(trouble.episode.lasted) / 1e9)
            return "\(ago) ago \(trouble.kind.word) for \(lasted)\(whom)"
        }.joined(separator: "; ")
    }
}

extension VerdictKind {
    /// Whether its end is worth mentioning afterwards.
    var isWorthRemembering: Bool {
        switch self {
        case .ending, .idle, .healthy, .nearLimit: false
        default: true
        }
    }
}

extension PoolReading {
    /// What may be wrong with the libraries and the settings of the pool.
    package var cautions: [String] {
        [backend.caution].compactMap(\.self) + configuration.warnings(descriptorLimit: nil).map(\.description)
    }
}
