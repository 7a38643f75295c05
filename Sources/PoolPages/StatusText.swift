import HTTPPool
package import PoolMetrics

/// The page `/` for terminals: what is wrong first, then evidence and advice, charts and tables; the last line repeats it.
package enum StatusText {
    package static func page(
        _ reports: [PoolReport],
        _ process: ProcessSituation,
        _ diagnosis: Diagnosis,
        isPlain: Bool = false
    ) -> String {
        var page = TextPage()
        write(diagnosis, process, to: &page)
        let focus = reports.first { $0.reading.name == diagnosis.first.pool } ?? reports.first { !$0.reading.hasEnded }
        if let focus { Charts.write(focus, diagnosis.first, isPlain: isPlain, to: &page) }
        if !reports.isEmpty { pools(reports, to: &page) }
        for report in reports where !report.reading.hasEnded { tables(report, isOnly: reports.count == 1, to: &page) }
        cautions(reports, to: &page)
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
        guard let past = diagnosis.past.first(where: { $0.kind.isWorthRemembering }) else { return }
        let ago = Phrase.duration(Double(process.now - past.episode.lastHeld) / 1e9)
        if first.rows.isEmpty { page.add() }
        let whom = past.episode.origin.map { ": \($0)" } ?? ", pool \(past.pool)"
        page.add(
            label: "last",
            "\(ago) ago \(past.kind.word) for \(Phrase.duration(Double(past.episode.lasted) / 1e9))\(whom)"
        )
    }

    // MARK: Tables

    private static func pools(_ reports: [PoolReport], to page: inout TextPage) {
        page.add()
        var table = TextTable(
            "pool",
            width: 16,
            [
                ("active", 7), ("idle", 6), ("connecting", 10), ("open", 5), ("limit", 6), ("queued", 7), ("oldest", 8),
                ("reused", 7),
            ]
        )
        for report in reports {
            let reading = report.reading
            let connections = reading.levels.connections
            let queued = reading.levels.requests.queued
            table.add(
                reading.hasEnded ? "\(reading.name) (ended)" : reading.name,
                [
                    Phrase.count(connections.active), Phrase.count(connections.idle),
                    Phrase.count(connections.connecting),
                    Phrase.count(connections.total), Phrase.count(reading.configuration.limits.maxConnections),
                    Phrase.count(queued), queued > 0 ? Phrase.duration(reading.oldestQueuedSeconds) : "-",
                    reading.reuseRatio.map(Phrase.share) ?? "-",
                ]
            )
        }
        table.write(to: &page)
    }

    static func tables(_ report: PoolReport, isOnly: Bool, to page: inout TextPage) {
        let reading = report.reading
        guard !reading.origins.isEmpty else { return }
        page.add()
        if !isOnly { page.add("pool \(reading.name.printable)") }
        origins(report, to: &page)
        page.add()
        sites(report, to: &page)
    }

    private static let mostRows = 12

    private static func origins(_ report: PoolReport, to page: inout TextPage) {
        var table = TextTable(
            "upstream",
            width: 27,
            [("active", 7), ("idle", 5), ("connecting", 10), ("queued", 6), ("responds in", 12), ("usual", 7)]
        )
        // The culprit above its victims.
        let rows = zip(report.reading.origins, report.origins).filter { $0.0.label != "retired" }.sorted { one, other in
            let (a, b) = (one.0.levels, other.0.levels)
            let keys = ([a.connections.taken, a.requests.queued], [b.connections.taken, b.requests.queued])
            return keys.0 == keys.1 ? one.0.label < other.0.label : keys.1.lexicographicallyPrecedes(keys.0)
        }
        for (reading, past) in rows.prefix(mostRows) {
            let connections = reading.levels.connections
            let state = state(of: reading.label, report)
            let responds = [state, past.respondsIn.map(Phrase.duration)].compactMap(\.self).joined(separator: " ")
            table.add(
                reading.label,
                [
                    Phrase.count(connections.active), Phrase.count(connections.idle),
                    Phrase.count(connections.connecting),
                    Phrase.count(reading.levels.requests.queued), responds.isEmpty ? "-" : responds,
                    past.usual.map(Phrase.duration) ?? "-",
                ]
            )
        }
        let sum = report.reading.levels
        table.add(
            rows.count > mostRows ? "all \(rows.count), \(rows.count - mostRows) not shown" : "all \(rows.count)",
            [
                Phrase.count(sum.connections.active), Phrase.count(sum.connections.idle),
                Phrase.count(sum.connections.connecting),
                Phrase.count(sum.requests.queued),
            ]
        )
        table.write(to: &page)
    }

    /// A word for what is wrong with an origin; `nil` if nothing is.
    private static func state(of label: String, _ report: PoolReport) -> String? {
        let found = Set(report.conditions.filter { $0.origin == label }.map(\.condition))
        if found.contains(.upstreamDown) { return "DOWN" }
        if found.contains(.upstreamFailing) { return "FAILS" }
        return found.contains(.upstreamSlow) ? "SLOW" : nil
    }

    private static func sites(_ report: PoolReport, to page: inout TextPage) {
        var table = TextTable(
            "call site",
            width: 20,
            [
                ("in flight", 9), ("connecting", 10), ("queued", 6), ("requests/s", 10), ("no conn./s", 10),
                ("holds for", 9),
            ]
        )
        let seconds = max(1, report.recentSeconds)
        let rows = zip(report.reading.sites, report.sites).filter { $0.0.label != "retired" }.sorted { one, other in
            let (a, b) = (one.0.levels, other.0.levels)
            let keys = ([a.inFlight, a.queued, Int(one.1.acquires)], [b.inFlight, b.queued, Int(other.1.acquires)])
            return keys.0 == keys.1 ? one.0.label < other.0.label : keys.1.lexicographicallyPrecedes(keys.0)
        }
        var all = (acquires: 0.0, failures: 0.0)
        for (index, (reading, recent)) in rows.enumerated() {
            all.acquires += Double(recent.acquires) / seconds
            all.failures += Double(recent.failures) / seconds
            guard index < mostRows else { continue }
            let held = recent.acquires > 0 ? Double(recent.leaseMicroseconds) / 1e6 / Double(recent.acquires) : nil
            table.add(
                reading.label,
                [
                    Phrase.count(reading.levels.inFlight), Phrase.count(reading.levels.connecting),
                    Phrase.count(reading.levels.queued),
                    Phrase.rate(Double(recent.acquires &+ recent.failures) / seconds),
                    Phrase.rate(Double(recent.failures) / seconds), held.map(Phrase.duration) ?? "-",
                ]
            )
        }
        let sum = report.reading.levels.requests
        table.add(
            rows.count > mostRows ? "all \(rows.count), \(rows.count - mostRows) hidden" : "all \(rows.count)",
            [
                Phrase.count(sum.inFlight), Phrase.count(sum.connecting), Phrase.count(sum.queued),
                Phrase.rate(all.acquires + all.failures), Phrase.rate(all.failures),
            ]
        )
        table.write(to: &page)
    }

    private static func cautions(_ reports: [PoolReport], to page: inout TextPage) {
        var found: [String] = []
        for report in reports where !report.reading.hasEnded {
            found += report.reading.cautions
        }
        guard !found.isEmpty else { return }
        page.add()
        var seen: Set<String> = []
        for caution in found where seen.insert(caution).inserted { page.add(label: "WARNING", caution) }
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
