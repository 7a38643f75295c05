import HTTPPool
import PoolMetrics

/// The pages `/leases` and `/queue` in HTML.
package enum RequestsHTML {
    package static func leases(_ set: PageSet) -> String {
        let list = RequestList(leases: true, set.reports, set.query)
        let beside =
            "\(list.oldest.map { "The oldest for \(Phrase.duration($0)). " } ?? "")\(list.waiting(set.reports))"
        var every = PageTable(
            "call site",
            width: 20,
            [
                .init("age", 9), .init("no byte for", 12), .init("held by", 9, hasWords: true),
                .init("waits for", 14, hasWords: true), .init("connection", 12),
            ]
        )
        fill(&every, list) { item in
            [
                .init(Phrase.duration(item.age)), .init(item.still.map(Phrase.duration) ?? "-"), .init(item.holder),
                .init(item.waitsFor), .init(item.request.connection.map { "#\($0.value)" } ?? "-"),
            ]
        }
        return page(.leases, set, list, title: list.leaseTitle, beside, RequestTables.leases(list), every)
    }

    package static func queue(_ set: PageSet) -> String {
        let list = RequestList(leases: false, set.reports, set.query)
        let oldest = list.oldest.map { "The oldest for \(Phrase.duration($0))." } ?? ""
        var every = PageTable(
            "call site",
            width: 20,
            [.init("age", 9), .init("gives up in", 12), .init("state", 11, hasWords: true)]
        )
        fill(&every, list) { item in
            [
                .init(Phrase.duration(item.age)), .init(item.givesUp),
                .init(item.request.phase?.rawValue ?? "-"),
            ]
        }
        return page(.queue, set, list, title: list.queueTitle, oldest, RequestTables.queue(list), every)
    }

    /// The requests, below the name of their origin where that changes.
    private static func fill(
        _ table: inout PageTable,
        _ list: RequestList,
        _ cells: (RequestList.Item) -> [PageTable.Cell]
    ) {
        var last: String?
        for item in list.items {
            if last != item.request.origin { table.add(group: .origin(item.request.origin)) }
            last = item.request.origin
            table.add(.site(item.request.site), cells(item))
        }
    }

    private static func page(
        _ item: HTMLFrame.Item,
        _ set: PageSet,
        _ list: RequestList,
        title: String,
        _ lead: String,
        _ groups: PageTable,
        _ every: PageTable
    ) -> String {
        let frame = HTMLFrame(item, title, set, hasFilter: true)
        let table = HTMLTable(links: frame.links)
        var main = HTMLVerdict(frame.links, set.process).banner(set.diagnosis)
        let sites = set.reports.flatMap { $0.reading.sites.map(\.label) }
        main += """
            <section class="head" aria-labelledby="requests"><h1 id="requests">\(title)</h1>
            <p class="lead">\(sentence: ([list.filtered(by: set.query), list.partly].compactMap { $0.map { "\($0). " } } + [lead]).joined())</p>
            \(FilterForm(set).markup([.site(sites), .origin, .pool, .minAge, .limit]))</section>
            """
        guard !list.items.isEmpty else { return frame.page(main) }
        let who = item == .leases ? "Who holds them" : "Who waits"
        let whom = item == .leases ? "and whom they wait for" : "and for how long"
        main += StatusHTML.section("groups", who, whom, table.markup(groups, labelledBy: "groups"))
        let shown = "oldest first, \(Phrase.count(list.items.count)) of \(Phrase.count(list.total))"
        let each = item == .leases ? "Every lease" : "Every request"
        main += StatusHTML.section("every", each, shown, table.markup(every, labelledBy: "every"))
        return frame.page(main)
    }
}
