import HTTPPool
import PoolMetrics

/// What surrounds each page: head, navigation, footer.
struct HTMLFrame {
    /// The pages, in the order of the navigation.
    enum Item: String, CaseIterable {
        case overview, pool, leases, queue, events, config
    }

    let item: Item
    let links: PageLinks
    let process: ProcessSituation
    /// What the page is about, for the title of its window.
    let title: String
    let isTrouble: Bool
    /// The pool of the navigation; `nil` with several.
    let pool: String?
    var hasFilter = false

    init(_ item: Item, _ title: String, _ set: PageSet, pool: String? = nil, hasFilter: Bool = false) {
        self.item = item
        self.title = title
        self.hasFilter = hasFilter
        links = PageLinks(isBelow: item == .pool)
        process = set.process
        isTrouble = set.diagnosis.severity > .ok
        let live = set.reports.filter { !$0.reading.hasEnded }
        self.pool = pool ?? (live.count == 1 ? live.first?.reading.name : nil)
    }

    func page(_ main: Markup) -> String {
        // Who cannot run the script fills in a form between two refreshes.
        let seconds = hasFilter ? 30 : 5
        let page: Markup = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width,initial-scale=1"/>
            <meta name="robots" content="noindex"/>
            <link rel="icon" href="data:,"/>
            <noscript><meta http-equiv="refresh" content="\(seconds)"/></noscript>
            <title>\(title), PoolScope</title>
            \(HTMLAssets.styleElement)
            </head>
            <body class="\(isTrouble ? "bad" : "good")">
            <header><div class="wrap"><span class="brand">PoolScope</span>
            <nav aria-label="Pages">\(Item.allCases.map(link))</nav>
            <p class="live" id="live"><time>\(date.time) UTC</time></p></div></header>
            <main><div class="wrap">
            \(main)
            </div></main>
            \(footer)
            \(HTMLAssets.scriptElement)
            </body>
            </html>

            """
        return page.text
    }

    private var date: UTCDate { UTCDate(secondsSince1970: process.wallClock) }

    private func link(_ other: Item) -> Markup {
        let target: String
        switch other {
        case .overview: target = links.overview
        case .pool: target = pool.map(links.pool) ?? "\(links.overview)#pools"
        default: target = links.page(other.rawValue)
        }
        let current: Markup = other == item ? " aria-current=\"page\"" : ""
        let name = other == .pool && pool == nil ? "pools" : other.rawValue
        return "<a href=\"\(target)\"\(current)>\(name.capitalizedFirst)</a>"
    }

    private var footer: Markup {
        let up: Markup? = process.uptime.map { "<span>\(sentence: "up \(Phrase.duration($0))")</span>" }
        return """
            <footer><div class="wrap"><p class="facts"><span>\(date.day) \(date.time) UTC</span><span>\(process.host)</span>\
            <span>pid \(String(process.pid))</span>\(up)<span>PoolScope \(PoolScopeVersion.current)</span></p>
            <p>The same as <a href="?format=text">text</a> and as <a href="?format=json">JSON</a>; for Prometheus at \
            <a href="\(links.page("metrics"))">/metrics</a>. An upstream is the label <code>origin</code>. \
            “Queued” counts requests, “active” and “idle” count connections.</p></div></footer>
            """
    }
}

/// The addresses of the other pages, relative, so that they are right behind a proxy with a prefix, too.
struct PageLinks {
    /// Whether the page is one of `/pools/`.
    let isBelow: Bool

    private var up: String { isBelow ? "../" : "" }
    var overview: String { isBelow ? "../" : "./" }
    func page(_ name: String) -> String { up + name }
    func pool(_ name: String) -> String { "\(up)pools/\(PercentEncoding.encoded(name))" }
    func leases(of origin: String) -> String { "\(up)leases?origin=\(PercentEncoding.encoded(origin))" }
}

extension StringProtocol {
    /// The text with a capital at its beginning.
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
