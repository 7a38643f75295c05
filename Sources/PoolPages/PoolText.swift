import HTTPPool
package import PoolMetrics

/// The page `/pools/NAME` for terminals.
package enum PoolText {
    package static func page(
        _ report: PoolReport,
        _ process: ProcessSituation,
        isPlain: Bool = false
    ) -> String {
        var page = TextPage()
        let reading = report.reading
        let diagnosis = Diagnosis([report], process)
        page.add(
            wrapping: "POOL \(reading.name)\(reading.hasEnded ? " (ended)" : ""): \(diagnosis.first.headline)",
            rest: "  "
        )
        if let origin = diagnosis.first.origin { page.add("  " + origin.printable) }
        page.add("  \(reading.backend.library), \(reading.backend.tls)")
        Charts.write(report, diagnosis.first, isPlain: isPlain, to: &page)
        levels(report, to: &page)
        StatusText.tables(report, isOnly: true, to: &page)
        totals(report, to: &page)
        page.add()
        PageFooter.write(["/", "/leases", "/queue", "/events", "/config", "?format=json"], process, to: &page)
        page.add(wrapping: diagnosis.first.short + ", pool \(reading.name)")
        return page.text
    }

    private static func levels(_ report: PoolReport, to page: inout TextPage) {
        let reading = report.reading
        let levels = reading.levels
        let limits = reading.configuration.limits
        page.add()
        var table = TextTable("level", width: 40, [("now", 8), ("peak in 60 s", 14), ("limit", 8)])
        table.add("connections active", [Phrase.count(levels.connections.active), Phrase.count(reading.peaks.active)])
        table.add(
            "connections open",
            [
                Phrase.count(levels.connections.total), Phrase.count(reading.peaks.open),
                Phrase.count(limits.maxConnections),
            ]
        )
        table.add(
            "requests queued",
            [
                Phrase.count(levels.requests.queued), Phrase.count(reading.peaks.queued),
                limits.maxQueuedRequests.map { Phrase.count($0) } ?? "none",
            ]
        )
        table.add("requests wanted at once", [Phrase.count(levels.requests.total), Phrase.count(reading.peaks.demand)])
        table.write(to: &page)
    }

    private static func totals(_ report: PoolReport, to page: inout TextPage) {
        let origins = report.reading.origins
        guard !origins.isEmpty else { return }
        page.add()
        var table = TextTable(
            "since the start",
            width: 25,
            [("new", 8), ("reused", 10), ("no conn.", 9), ("opened", 9), ("closed", 8), ("open", 5)]
        )
        func cells(_ rows: [OriginReading]) -> [String] {
            func sum(_ count: (OriginReading) -> UInt64) -> UInt64 { rows.reduce(0) { $0 &+ count($1) } }
            return [
                Phrase.count(sum { $0.acquires[.new] }),
                Phrase.count(sum { $0.acquires[.reused] &+ $0.acquires[.multiplexed] }),
                Phrase.count(sum { $0.acquireFailures.total }), Phrase.count(sum { $0.connectionsOpened }),
                Phrase.count(sum { $0.connectionsClosed.total }),
                Phrase.count(rows.reduce(0) { $0 &+ $1.levels.connections.active &+ $1.levels.connections.idle }),
            ]
        }
        for origin in origins.sorted(by: { $0.acquires.total > $1.acquires.total }).prefix(64) {
            table.add(origin.label, cells([origin]))
        }
        table.add("all \(origins.count)", cells(origins))
        table.write(to: &page)
        page.add()
        page.add(label: "closed", counts(CloseReason.self, origins) { $0.connectionsClosed[$1] })
        page.add(label: "ended", counts(LeaseOutcome.self, origins) { $0.leases[$1] })
        page.add(label: "not acquired", counts(AcquireFailure.self, origins) { $0.acquireFailures[$1] })
        page.add(label: "not opened", counts(ConnectFailure.self, origins) { $0.connectFailures[$1] })
    }

    /// `3,946 idle_expired, 75 peer_closed`
    private static func counts<Key: CaseIterable & RawRepresentable<String>>(
        _: Key.Type,
        _ origins: [OriginReading],
        _ count: (OriginReading, Key) -> UInt64
    ) -> String {
        let found = Key.allCases.map { key in (key, origins.reduce(UInt64(0)) { $0 &+ count($1, key) }) }.filter {
            $0.1 > 0
        }
        guard !found.isEmpty else { return "none" }
        return found.sorted { $0.1 > $1.1 }.map { "\(Phrase.count($0.1)) \($0.0.rawValue)" }.joined(separator: ", ")
    }
}
