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
        ChartSet(report, diagnosis.first, process).write(isPlain: isPlain, to: &page)
        page.add()
        PoolTables.levels(report).write(to: &page)
        StatusText.tables(report, isOnly: true, to: &page)
        totals(report, to: &page)
        page.add()
        PageFooter.write(["/", "/leases", "/queue", "/events", "/config", "?format=json"], process, to: &page)
        page.add(wrapping: diagnosis.first.short + ", pool \(reading.name)")
        return page.text
    }

    private static func totals(_ report: PoolReport, to page: inout TextPage) {
        guard !report.reading.origins.isEmpty else { return }
        page.add()
        PoolTables.totals(report).write(to: &page)
        page.add()
        for row in PoolTables.reasons(report) { page.add(label: row.label, row.text) }
    }
}
