import HTTPPool
package import PoolMetrics

/// The pages `/leases` and `/queue` for terminals.
package enum RequestsText {
    package static func leases(_ reports: [PoolReport], _ process: ProcessSituation, _ query: PageQuery) -> String {
        let list = RequestList(leases: true, reports, query)
        var page = TextPage()
        let oldest = list.groups.map(\.oldest).max()
        let age = oldest.map { ", the oldest for \(Phrase.duration($0))" } ?? ""
        let holds = list.total == 1 ? "request holds" : "requests hold"
        page.add("LEASES: \(Phrase.count(list.total)) \(holds) a connection\(age)")
        let caller = list.groups.reduce(0) { $0 + $1.caller }
        let peer = list.groups.reduce(0) { $0 + $1.peer }
        let overdue = reports.compactMap(\.reading.overdueLeases).reduce(0) { $0 + $1.total }
        page.add(
            wrapping: "\(Phrase.count(peer)) of them wait for the upstream, \(Phrase.count(caller)) for our own code; "
                + "\(overdue == 0 ? "none is" : "\(Phrase.count(overdue)) \(overdue == 1 ? "is" : "are")") overdue.",
            first: "  ",
            rest: "  "
        )
        groups(list, "leases", [("leases", 7), ("oldest", 10), ("upstream", 9), ("our code", 9)], to: &page) {
            [Phrase.count($0.count), Phrase.duration($0.oldest), Phrase.count($0.peer), Phrase.count($0.caller)]
        }
        if !list.items.isEmpty {
            page.add()
            page.add("oldest first")
            page.add("    age   no byte for  held by   waits for      call site             connection")
        }
        var last: String?
        for item in list.items {
            heading(item, &last, to: &page)
            page.add(
                Phrase.duration(item.age).right(9) + (item.still.map(Phrase.duration) ?? "-").right(12) + "  "
                    + who(item).left(9) + " " + waits(item.request.phase).left(14) + " "
                    + item.request.site.printable.left(max(20, item.request.site.columns)) + "  "
                    + (item.request.connection.map { "#\($0.value)" } ?? "-")
            )
        }
        end(list, query, "/queue", process, to: &page)
        return page.text
    }

    package static func queue(_ reports: [PoolReport], _ process: ProcessSituation, _ query: PageQuery) -> String {
        let list = RequestList(leases: false, reports, query)
        var page = TextPage()
        let oldest = list.groups.map(\.oldest).max()
        let age = oldest.map { ", the oldest for \(Phrase.duration($0))" } ?? ""
        let waits = list.total == 1 ? "request waits" : "requests wait"
        page.add("QUEUE: \(Phrase.count(list.total)) \(waits) for a connection\(age)")
        let limits = reports.flatMap { $0.conditions }.map(\.condition).filter {
            VerdictKind($0)?.isSaturation ?? false
        }
        if !limits.isEmpty { page.add("  a limit is reached: see /") }
        groups(list, "queued", [("waiting", 8), ("oldest", 10), ("youngest", 10)], to: &page) {
            [Phrase.count($0.count), Phrase.duration($0.oldest), Phrase.duration($0.youngest)]
        }
        if !list.items.isEmpty {
            page.add()
            page.add("oldest first")
            page.add("    age   gives up in  state       call site")
        }
        var last: String?
        for item in list.items {
            heading(item, &last, to: &page)
            page.add(
                Phrase.duration(item.age).right(9) + (item.givesUpIn.map(Phrase.duration) ?? "never").right(12) + "  "
                    + (item.request.phase?.rawValue ?? "-").left(11) + " " + item.request.site.printable
            )
        }
        end(list, query, "/leases", process, to: &page)
        return page.text
    }

    // MARK: Parts

    /// The origin, when it changes.
    private static func heading(_ item: RequestList.Item, _ last: inout String?, to page: inout TextPage) {
        guard last != item.request.origin else { return }
        last = item.request.origin
        page.add(item.request.origin.printable)
    }

    private static func groups(
        _ list: RequestList,
        _ name: String,
        _ columns: [(heading: String, width: Int)],
        to page: inout TextPage,
        _ cells: (RequestList.Group) -> [String]
    ) {
        guard !list.groups.isEmpty else { return }
        page.add()
        let width = TextPage.width - columns.reduce(0) { $0 + $1.width + 1 }
        var table = TextTable("by upstream and call site", width: width, columns)
        var last: String?
        for group in list.groups.prefix(40) {
            if last != group.origin { table.add(heading: group.origin) }
            last = group.origin
            table.add("  " + group.site, cells(group))
        }
        table.write(to: &page)
        if list.groups.count > 40 { page.add("  \(Phrase.count(list.groups.count - 40)) more are not shown") }
    }

    private static func end(
        _ list: RequestList,
        _ query: PageQuery,
        _ other: String,
        _ process: ProcessSituation,
        to page: inout TextPage
    ) {
        if list.items.count < list.total {
            page.add(
                "\(Phrase.count(list.items.count)) of \(Phrase.count(list.total)) are shown, the younger ones are not: ?limit=1000"
            )
        }
        page.add()
        page.add("narrow with  ?site=  ?origin=  ?pool=  ?min_age=SECONDS  ?limit=")
        PageFooter.write(["/", other, "?format=json"], process, to: &page)
    }

    private static func who(_ item: RequestList.Item) -> String {
        switch item.heldBy {
        case .peer: "upstream"
        case .caller: "our code"
        case nil: "-"
        @unknown default: "-"
        }
    }

    private static func waits(_ phase: RequestPhase?) -> String {
        switch phase {
        case .sending: "request sent"
        case .waitingForHead: "response"
        case .receiving: "rest of body"
        case .heldByCaller: "read or write"
        default: phase?.rawValue ?? "-"
        }
    }
}
