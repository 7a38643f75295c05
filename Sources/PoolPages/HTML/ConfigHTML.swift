import HTTPPool
import PoolMetrics

/// The page `/config` in HTML.
package enum ConfigHTML {
    package static func page(_ set: PageSet) -> String {
        let live = set.reports.filter { !$0.reading.hasEnded }
        let title = ConfigTables.title(live.count)
        let frame = HTMLFrame(.config, title, set)
        let table = HTMLTable(links: frame.links)
        var main = HTMLVerdict(frame.links, set.process).banner(set.diagnosis)
        main += "<section class=\"head\" aria-labelledby=\"config\"><h1 id=\"config\">\(title)</h1></section>\n"
        for (index, report) in live.enumerated() {
            let state = ConfigTables.state(report.reading)
            let failed: Markup? = ConfigTables.reloadFailed(report.reading).map { "<p class=\"hot\">\($0)</p>" }
            main += StatusHTML.section("pool-\(index)", "Pool \(report.reading.name)", state, "\(failed)")
            for (number, group) in ConfigTables.groups(report).enumerated() {
                let id = "pool-\(index)-\(number)"
                main += StatusHTML.section(
                    id,
                    group.heading.capitalizedFirst,
                    "",
                    table.markup(group, heading: "setting", labelledBy: id)
                )
            }
        }
        return frame.page(main)
    }
}
