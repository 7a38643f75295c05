import HTTPPool
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
