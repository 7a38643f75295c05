package import HTTPPool
package import PoolMetrics

/// The page `/config` for terminals: every setting with its value, its source, and how it is used now.
package enum ConfigText {
    package static func page(_ reports: [PoolReport], _ process: ProcessSituation) -> String {
        var page = TextPage()
        let live = reports.filter { !$0.reading.hasEnded }
        page.add("CONFIG: \(ConfigTables.title(live.count))")
        for report in live { write(report, process, to: &page) }
        page.add()
        PageFooter.write(["/", "/events", "?format=json"], process, to: &page)
        return page.text
    }

    private static func write(_ report: PoolReport, _ process: ProcessSituation, to page: inout TextPage) {
        let reading = report.reading
        page.add()
        page.add("pool \(reading.name.printable): \(ConfigTables.state(reading))")
        if let failed = ConfigTables.reloadFailed(reading) { page.add(wrapping: failed, first: "  ", rest: "  ") }
        for table in ConfigTables.groups(report) {
            page.add()
            table.write(to: &page)
        }
    }
}

extension SettingSource {
    /// Where the value of a setting is set, in words. One variable may set several settings.
    func place(of setting: PoolSetting) -> String {
        switch kind {
        case .default: "default"
        case .environment: name.map { $0 == setting.variable ? "environment" : "environment, \($0)" } ?? "environment"
        case .code: "the program"
        case .file: "file, key \(name ?? "?")"
        case .provider: "\(provider ?? "provider"), key \(name ?? "?")"
        case .reload: "reload, key \(name ?? "?")\(provider.map { " of \($0)" } ?? "")"
        @unknown default: kind.rawValue
        }
    }
}

/// How a setting is used: what of it is taken, or how often it ended a request.
package struct SettingUse: Sendable {
    /// `17 open, 33 free`; `nil` if nothing is known.
    package let words: String?

    package init(_ setting: PoolSetting, _ report: PoolReport) {
        let reading = report.reading
        let levels = reading.levels
        let limits = reading.configuration.limits
        func failures(_ reason: AcquireFailure) -> UInt64 {
            reading.origins.reduce(0) { $0 &+ $1.acquireFailures[reason] }
        }
        func closed(_ reason: CloseReason) -> UInt64 {
            reading.origins.reduce(0) { $0 &+ $1.connectionsClosed[reason] }
        }
        func waits(_ limit: PoolLimit) -> String {
            "\(Phrase.count(reading.limitWaits(limit), "request")) waited for it since the start"
        }
        switch setting {
        case .maxConnections:
            let open = levels.connections.total
            words =
                "\(Phrase.count(open)) open, \(Phrase.count(max(0, limits.maxConnections - open))) free; \(waits(.connections))"
        case .maxConnectionsPerOrigin:
            let full = reading.origins.count { origin in
                limits.maxConnectionsPerOrigin.map { origin.levels.connections.total >= $0 } ?? false
            }
            words =
                limits.maxConnectionsPerOrigin == nil
                ? nil
                : "\(Phrase.count(full)) of \(Phrase.count(reading.origins.count, "upstream")) at it; \(waits(.connectionsPerOrigin))"
        case .maxIdleConnections:
            words =
                "\(Phrase.count(levels.connections.idle)) idle; \(Phrase.count(closed(.idleSurplus))) closed as surplus since the start"
        case .maxQueuedRequests:
            words =
                "\(Phrase.count(levels.requests.queued)) queued; \(Phrase.count(failures(.rejected))) refused since the start"
        case .keepaliveExpiry: words = "\(Phrase.count(closed(.idleExpired))) closed so since the start"
        case .maxConnectionLifetime: words = "\(Phrase.count(closed(.maxLifetime))) closed so since the start"
        case .acquireTimeout:
            words =
                "\(Phrase.count(failures(.timeout))) reached since the start, \(Phrase.count(report.recent.gaveUp)) in the last minute"
        case .connectTimeout:
            let all = reading.origins.reduce(0) { $0 &+ $1.connectFailures[.timeout] }
            words = "\(Phrase.count(all)) reached since the start"
        case .readTimeout:
            let all = reading.origins.reduce(0) { $0 &+ $1.leases[.timeout] }
            words = "\(Phrase.count(all)) ended by a read, write or total timeout since the start"
        case .maxOriginSeries: words = "\(Phrase.count(reading.origins.count)) in use"
        case .maxSiteSeries: words = "\(Phrase.count(reading.sites.count)) in use"
        case .overdueLease: words = reading.overdueLeases.map { "\(Phrase.count($0.total)) overdue" }
        default: words = nil
        }
    }
}
