import HTTPPool
package import PoolMetrics

/// The pages `/` and `/pools/NAME` in HTML.
package enum StatusHTML {
    package static func page(_ set: PageSet) -> String {
        let first = set.diagnosis.first
        let frame = HTMLFrame(.overview, "\(first.sentenceCase)\(first.pool.map { ": \($0)" } ?? "")", set)
        let table = HTMLTable(links: frame.links)
        var main = defs
        main += HTMLVerdict(frame.links, set.process).section(set.diagnosis)
        if let charts = ChartSet(set.reports, first, set.process) { main += HTMLCharts.section(charts, table) }
        main += pools(set.reports, table)
        for (index, report) in set.reports.enumerated() where !report.reading.hasEnded {
            main += tables(report, index, isOnly: set.reports.count == 1, table)
        }
        main += cautions(set.reports)
        return frame.page(main)
    }

    package static func pool(_ report: PoolReport, _ process: ProcessSituation) -> String {
        let reading = report.reading
        let set = PageSet([report], process, Diagnosis([report], process))
        let frame = HTMLFrame(.pool, "Pool \(reading.name)", set, pool: reading.name)
        let table = HTMLTable(links: frame.links)
        let verdict = HTMLVerdict(frame.links, process)
        var main = defs
        main += verdict.banner(set.diagnosis)
        main += """
            <section class="head" aria-labelledby="pool"><h1 id="pool">Pool <bdi>\(reading.name)</bdi>\(reading.hasEnded ? " (ended)" : "")</h1>
            <p class="lead">\(reading.backend.library), \(reading.backend.tls)</p>
            \(use(reading))</section>
            """
        main += HTMLCharts.section(ChartSet(report, set.diagnosis.first, process), table)
        main += section(
            "levels",
            "Levels",
            "and their limits",
            table.markup(PoolTables.levels(report), labelledBy: "levels")
        )
        main += tables(report, 0, isOnly: true, table)
        if !reading.origins.isEmpty {
            let totals = PoolTables.totals(report)
            main += section(
                "totals",
                "Since the start",
                "requests and connections",
                table.markup(totals, heading: "upstream", labelledBy: "totals")
            )
            main += section("reasons", "Reasons", "since the start", verdict.rows(PoolTables.reasons(report)))
        }
        return frame.page(main)
    }

    static func section(_ id: String, _ title: String, _ beside: String, _ content: Markup) -> Markup {
        "<section aria-labelledby=\"\(id)\"><h2 id=\"\(id)\"><b>\(title)</b>\(beside)</h2>\n\(content)</section>\n"
    }

    // MARK: Parts

    /// Patterns that tell idle and connecting connections from active ones without color.
    static let defs: Markup = """
        <svg class="defs" width="0" height="0" aria-hidden="true">\
        <pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M1 0V5"/></pattern>\
        <pattern id="dots" width="4" height="4" patternUnits="userSpaceOnUse"><circle cx="2" cy="2" r="1.2"/></pattern></svg>

        """

    private static func pools(_ reports: [PoolReport], _ table: HTMLTable) -> Markup {
        guard let first = reports.first else { return "" }
        guard reports.count == 1, !first.reading.hasEnded else {
            return section(
                "pools",
                "Pools",
                "of this process",
                table.markup(PoolTables.pools(reports), labelledBy: "pools")
            )
        }
        let reading = first.reading
        let limit = Phrase.count(reading.configuration.limits.maxConnections)
        let open = reading.ofConnections(reading.levels.connections.total)
            .map { "\(Phrase.count($0)) of \(limit) connections open" }
        let reused = reading.reuseRatio.map { "; \(Phrase.share($0)) of requests reused one since the start" } ?? ""
        let words = "\(open ?? "the client does not report its connections, of which \(limit) may be open")\(reused)"
        return """
            <section aria-labelledby="pools"><h2 id="pools"><b>Pool \(table.name(.pool(reading.name)))</b>\(sentence: words)</h2>
            \(use(reading))</section>

            """
    }

    /// A bar of the pool's connections, and its key.
    private static func use(_ reading: PoolReading) -> Markup {
        let requests = reading.levels.requests
        func key(_ shape: String?, _ count: Int, _ words: String) -> Markup {
            let sample: Markup? = shape.map {
                "<svg aria-hidden=\"true\"><rect class=\"\($0)\" width=\"10\" height=\"10\"/></svg>"
            }
            return "<span>\(sample)<b>\(Phrase.count(count))</b> \(words)</span>"
        }
        let wanted = "wanted at once, at most \(Phrase.count(reading.peaks.demand)) in the last minute"
        let keys: Markup = "\(key(nil, requests.queued, "queued"))\(key(nil, requests.total, wanted))"
        guard let use = reading.use else { return "<p class=\"key\">\(keys)</p>" }
        let parts = UseParts(use, width: 1000)
        let free = max(0, use.limit - use.active - use.connecting - use.idle)
        return """
            <svg class="use" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label="\(use.active) active, \(use.connecting) connecting, \
            \(use.idle) idle, \(free) free of \(use.limit) connections"><rect class="o" x="0" y=".5" width="1000" height="9"/>\
            <rect class="a" width="\(parts.active)" height="10"/>\
            <rect class="c" x="\(parts.active)" width="\(parts.connecting)" height="10"/>\
            <rect class="i" x="\(parts.active + parts.connecting)" width="\(parts.idle)" height="10"/></svg>
            <p class="key">\(key("a", use.active, "active"))\(key("c", use.connecting, "connecting"))\(key("i", use.idle, "idle"))\
            \(key("o", free, "free"))\(keys)</p>
            """
    }

    private static func tables(_ report: PoolReport, _ index: Int, isOnly: Bool, _ table: HTMLTable) -> Markup {
        guard !report.reading.origins.isEmpty else { return "" }
        let whose = isOnly ? "" : "of pool \(report.reading.name), "
        let limit = report.reading.configuration.limits.maxConnectionsPerOrigin
        let most = limit.map { "; at most \(Phrase.count($0, "connection")) each" } ?? ""
        let origins = table.markup(PoolTables.origins(report), labelledBy: "upstreams-\(index)")
        let sites = table.markup(PoolTables.sites(report), labelledBy: "sites-\(index)")
        return section("upstreams-\(index)", "Upstreams", "\(whose)most loaded first\(most)", origins)
            + section(
                "sites-\(index)",
                "Call sites",
                "\(whose)who holds connections, then who waits; rates over the last \(Phrase.recentSeconds(report))",
                sites
            )
    }

    private static func cautions(_ reports: [PoolReport]) -> Markup {
        let found = StatusText.cautions(reports)
        guard !found.isEmpty else { return "" }
        let items: [Markup] = found.map { "<li>\(sentence: $0)</li>\n" }
        return section("warnings", "Warnings", "about libraries and settings", "<ul class=\"warnings\">\(items)</ul>")
    }
}
