import HTTPPool
import PoolMetrics

/// The tables of the page `/config`: every setting with its value, its source, and how it is used now.
enum ConfigTables {
    static func title(_ pools: Int) -> String {
        guard pools > 0 else { return "no pool is running" }
        return "\(Phrase.count(PoolSetting.all.count, "setting")) of \(Phrase.count(pools, "pool"))"
    }

    static func state(_ reading: PoolReading) -> String {
        guard let age = reading.configurationAgeSeconds else { return "as it was made" }
        let changes = Phrase.count(reading.configurationChanges, "change")
        return "\(changes) while it runs, the last \(Phrase.duration(age)) ago"
    }

    /// `nil` unless the last reload failed.
    static func reloadFailed(_ reading: PoolReading) -> String? {
        guard reading.lastReloadSucceeded == false else { return nil }
        return
            "RELOAD FAILED: the values before it are in force; \(reading.reloadProblem?.printable ?? "the log says why")"
    }

    static func groups(_ report: PoolReport) -> [PageTable] {
        let configuration = report.reading.configuration
        return kinds.map { group, title in
            var table = PageTable(title, width: 40, [.init("value", 20)])
            for setting in PoolSetting.all where setting.group == group {
                let source = configuration.source(of: setting)
                var notes = [PageName.words("set by: \(source.place(of: setting))")]
                if let now = SettingUse(setting, report).words { notes.append(.words("now: \(now)")) }
                table.add(
                    .setting(setting.variable),
                    [.init(configuration.value(of: setting).description)],
                    notes: notes
                )
            }
            return table
        }
    }

    private static let kinds: [(PoolSetting.Group, String)] = [
        (.limits, "limits"), (.timeouts, "timeouts"), (.transport, "transport (read at the start only)"),
        (.series, "series (read at the start only)"),
    ]
}
