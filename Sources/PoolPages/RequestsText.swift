import HTTPPool
package import PoolMetrics

/// The pages `/leases` and `/queue` for terminals.
package enum RequestsText {
    package static func leases(_ reports: [PoolReport], _ process: ProcessSituation, _ query: PageQuery) -> String {
        let list = RequestList(leases: true, reports, query)
        var page = TextPage()
        page.add("LEASES: \(list.leaseTitle)\(age(list))")
        for words in [list.filtered(by: query), list.partly].compactMap(\.self) { page.add("  " + words) }
        page.add(wrapping: list.waiting(reports), first: "  ", rest: "  ")
        groups(list, RequestTables.leases(list), to: &page)
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
                    + item.holder.left(9) + " " + item.waitsFor.left(14) + " "
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
        page.add("QUEUE: \(list.queueTitle)\(age(list))")
        for words in [list.filtered(by: query), list.partly].compactMap(\.self) { page.add("  " + words) }
        let limits = reports.flatMap { $0.conditions }.map(\.condition).filter {
            VerdictKind($0)?.isSaturation ?? false
        }
        if !limits.isEmpty, list.all > 0 { page.add("  a limit is reached: see /") }
        groups(list, RequestTables.queue(list), to: &page)
        if !list.items.isEmpty {
            page.add()
            page.add("oldest first")
            page.add("    age   gives up in  state       call site")
        }
        var last: String?
        for item in list.items {
            heading(item, &last, to: &page)
            page.add(
                Phrase.duration(item.age).right(9) + item.givesUp.right(12) + "  "
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

    private static func age(_ list: RequestList) -> String {
        list.oldest.map { ", the oldest for \(Phrase.duration($0))" } ?? ""
    }

    private static func groups(_ list: RequestList, _ table: PageTable, to page: inout TextPage) {
        guard !list.groups.isEmpty else { return }
        page.add()
        table.write(to: &page)
        let hidden = list.groups.count - RequestTables.mostGroups
        if hidden > 0 { page.add("  \(Phrase.count(hidden)) more are not shown") }
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
}
