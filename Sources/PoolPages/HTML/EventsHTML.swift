import HTTPPool
import PoolMetrics

/// The page `/events` in HTML.
package enum EventsHTML {
    package static func page(_ set: PageSet) -> String {
        let found = EventList(set.reports, set.process, set.query)
        let title = "\(Phrase.count(found.total, "event")) kept"
        let frame = HTMLFrame(.events, title, set, hasFilter: true)
        var table = PageTable("event", width: 40, [.init("time (UTC)", 11), .init("ago", 11)])
        for item in found.items {
            var notes = [item.event.origin.map(PageName.origin), item.detail.map(PageName.words)].compactMap(\.self)
            if set.reports.count > 1 { notes.append(.words("pool \(item.pool)")) }
            let ago = Phrase.duration(Double(set.process.now - item.event.last) / 1e9)
            let time = String(set.process.clock(item.event.last).dropLast(4))
            table.add(
                .words(item.event.kind.title.capitalizedFirst + item.times(set.process)),
                [.init(time), .init(ago)],
                notes: notes
            )
        }
        var main = HTMLVerdict(frame.links, set.process).banner(set.diagnosis)
        main += """
            <section class="head" aria-labelledby="events"><h1 id="events">\(title)</h1>
            <p class="lead">Newest first, \(Phrase.count(found.items.count)) of them here.</p>
            \(FilterForm(set).markup([.origin, .pool, .since, .limit]))</section>
            """
        guard !found.items.isEmpty else { return frame.page(main) }
        let every = HTMLTable(links: frame.links).markup(table, labelledBy: "every")
        main += StatusHTML.section("every", "Events", "since when, and when last", every)
        return frame.page(main)
    }
}
