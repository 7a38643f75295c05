import Foundation
import Testing

@testable import PoolScopeTool

@Suite("poolscope top: the screen")
struct TopScreenTests {
    static let sizes = [
        TerminalSize(columns: 80, rows: 24), TerminalSize(columns: 140, rows: 40), TerminalSize(columns: 40, rows: 10),
        TerminalSize(columns: 20, rows: 5), TerminalSize(columns: 1, rows: 1), TerminalSize(columns: 300, rows: 100),
    ]

    static func state(_ view: TopView = .upstreams, page: String = StatusPages.saturated()) throws -> TopState {
        var state = TopState(name: "localhost:9464", interval: 2, now: 100)
        let status = try StatusFrame.decode(StatusPage.self, "status", Array(page.utf8))
        for _ in 0..<view.rawValue { _ = state.handle(.tab, page: 1) }
        state.receive(TopPicture(status: status, details: try details(view)), at: 101)
        return state
    }

    static func details(_ view: TopView) throws -> TopPicture.Details? {
        switch view {
        case .upstreams, .sites: nil
        case .leases:
            .leases(try StatusFrame.decode(RequestsPage.self, "leases", Array(StatusPages.requests("leases").utf8)))
        case .queue:
            .queue(try StatusFrame.decode(RequestsPage.self, "queue", Array(StatusPages.requests("queue").utf8)))
        case .events: .events(try StatusFrame.decode(EventsPage.self, "events", Array(StatusPages.events.utf8)))
        }
    }

    private func lines(_ state: TopState, _ columns: Int, _ rows: Int, at now: Double = 101) -> [String] {
        TopScreen(state: state, size: TerminalSize(columns: columns, rows: rows), now: now).lines().map(\.text)
    }

    @Test("It fills the terminal and never exceeds it, whatever it shows", arguments: sizes, TopView.allCases)
    func fits(size: TerminalSize, view: TopView) throws {
        var states = [try Self.state(view), TopState(name: "localhost:9464", interval: 2, now: 0)]
        states[1].fail("no response from localhost:9464: connectFailed: the connection was refused")
        var typing = states[0]
        _ = typing.handle(.character("/"), page: 1)
        for character in String(repeating: "long", count: 30) { _ = typing.handle(.character(character), page: 1) }
        for state in states + [typing] {
            for isASCII in [true, false] {
                let lines = TopScreen(state: state, size: size, now: 200, isASCII: isASCII).lines()
                #expect(lines.count == size.rows)
                #expect(lines.allSatisfy { $0.text.columns <= size.columns }, "\(lines.map(\.text))")
                if isASCII { #expect(lines.allSatisfy { $0.text.allSatisfy(\.isASCII) }) }
            }
        }
    }

    @Test("Connections that a client does not report are a dash")
    func unknownConnections() throws {
        let page = StatusPages.saturated()
            .replacing(
                #""active": 12, "idle": 5, "connecting": 1"#,
                with: #""active": null, "idle": null, "connecting": null"#
            )
            .replacing(
                #""active": 12, "idle": 0, "connecting": 0"#,
                with: #""active": null, "idle": null, "connecting": null"#
            )
            .replacing(#""active_peak": 12"#, with: #""active_peak": null"#)
        let lines = lines(try Self.state(page: page), 140, 40)
        #expect(
            lines.contains { $0.hasPrefix("pool shared  - active  - idle  - connecting  of 50  60 queued") },
            "\(lines)"
        )
        #expect(lines.contains { $0.hasPrefix("active") && $0.hasSuffix(" -") }, "\(lines)")
        #expect(lines.contains { $0.contains(#/catalog-service\S+ .* - +- +60 /#) }, "\(lines)")
    }

    @Test("At 80x24 it has the verdict, the pools, the charts and a table")
    func standard() throws {
        let lines = lines(try Self.state(), 80, 24)
        #expect(lines[0].hasPrefix("poolscope top  localhost:9464  gateway-7d9f "))
        #expect(lines[0].hasSuffix("  03:12:41 UTC  every 2 s"))
        #expect(lines[1] == "SATURATED for 4 min 10 s: 1 upstream is at its limit of 10 connections")
        #expect(lines[2] == "  https://catalog:443  (and 1 more)")
        #expect(lines[3] == "  59 requests are queued for it, the oldest for 4.9 s; 10.0 a second give up.")
        #expect(lines[5] == "pool shared  12 active  5 idle  of 50  60 queued, oldest 4.9 s  reuse 0.995")
        #expect(lines[8].hasPrefix("queued     ▁█"))
        #expect(lines[9].hasSuffix("12/50"))
        #expect(lines.contains { $0.hasPrefix("[Upstreams]  Sites   Leases   Queue   Events ") })
        #expect(lines.contains { $0.contains("> shared      https://catalog-service...") && $0.contains("SLOW 5.0 s") })
        #expect(lines.last?.hasPrefix("q quit   Tab or 1-5 view   s sort") == true)
    }

    @Test("At 140x40 the evidence and all columns are there")
    func large() throws {
        let lines = lines(try Self.state(), 140, 40)
        #expect(lines[0].contains("gateway-7d9f  pid 7  up 14 h 20 min"))
        #expect(lines.contains("  cause       The upstream is slow."))
        #expect(lines.contains("  do first    Find out why."))
        let heading = try #require(lines.first { $0.contains("responds in") && $0.contains("upstream") })
        for title in ["pool", "active", "idle", "queued", "oldest", "usual", "failed/s"] {
            #expect(heading.contains(title), "\(heading)")
        }
        #expect(lines.contains { $0.contains("https://catalog-service.prod.svc.cluster.local:443  ") })
    }

    @Test("At 40x10 there is a verdict, a pool and rows")
    func small() throws {
        let lines = lines(try Self.state(), 40, 10)
        #expect(Array(lines[1...2]) == ["SATURATED for 4 min 10 s: 1 upstream is", "at its limit of 10 connections"])
        #expect(lines[3] == "pool shared  60 queued, oldest 4.9 s")
        #expect(lines.contains { $0.hasPrefix("> https://cat") && $0.hasSuffix("     12       60") }, "\(lines)")
    }

    @Test("Each table has its rows", arguments: TopView.allCases)
    func tables(view: TopView) throws {
        let wanted: [TopView: [String]] = [
            .upstreams: ["https://identity:443", "12 ms", "3.9"], .sites: ["token exchange", "13 ms"],
            .leases: ["caller", "reading body", "1 min 5 s", "tool calls"], .queue: ["100 ms", "tool calls"],
            .events: ["03:08:31", "2441", "gave up: first request after 5.0 s in the queue"],
        ]
        let text = lines(try Self.state(view), 160, 40).joined(separator: "\n")
        for word in try #require(wanted[view]) { #expect(text.contains(word), "\(text)") }
        #expect(text.contains("[\(view.title)]"))
    }

    @Test("While the endpoint does not respond, the last picture stays and the first line says since when")
    func late() throws {
        var state = try Self.state()
        let before = lines(state, 80, 24)
        state.fail("no response from localhost:9464: connectFailed: refused")
        let after = lines(state, 80, 24, at: 113.9)
        #expect(after[0].hasPrefix("no response for 12 s  localhost:9464"))
        #expect(after.dropFirst() == before.dropFirst())
        let status = try StatusFrame.decode(StatusPage.self, "status", Array(StatusPages.saturated().utf8))
        state.receive(TopPicture(status: status), at: 114)
        #expect(lines(state, 80, 24, at: 114) == before)
    }

    @Test("Before the first response it says what it waits for, and why it fails")
    func firstResponse() {
        var state = TopState(name: "localhost:9464", interval: 2, now: 0)
        #expect(
            lines(state, 100, 24, at: 1)[0].hasPrefix("poolscope top  localhost:9464  waiting for the first response")
        )
        state.fail("connectFailed: refused")
        #expect(
            lines(state, 100, 24, at: 5)[0].hasPrefix("no response for 5 s  localhost:9464  connectFailed: refused")
        )
    }

    @Test("What an endpoint sends cannot move the cursor")
    func hostile() throws {
        let text = StatusPages.saturated().replacingOccurrences(of: "tool calls", with: "a\\u001b[2J\\u202eb\\nc")
            .replacingOccurrences(of: "SATURATED", with: "\\u001b]0;x\\u0007")
        var state = TopState(name: "a", interval: 2, now: 0)
        _ = state.handle(.character("2"), page: 1)
        state.receive(TopPicture(status: try StatusFrame.decode(StatusPage.self, "status", Array(text.utf8))), at: 0)
        let lines = lines(state, 80, 24)
        #expect(lines.contains { $0.contains("a?[2J?b?c") }, "\(lines)")
        #expect(lines.allSatisfy { $0.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x202E } })
    }

    @Test("Charts have nothing from before the process began")
    func charts() throws {
        let pool = try #require(try Self.state().picture?.status.livePools.first)
        func queued(uptime: Double?) -> String {
            TopCharts.lines(pool, uptime: uptime, width: 80, isASCII: true).map(\.text).first { $0.hasPrefix("queued") }
                ?? ""
        }
        #expect(queued(uptime: 600).hasPrefix("queued     _# "))
        #expect(queued(uptime: nil).hasPrefix("queued     _# "))
        #expect(queued(uptime: 5).hasPrefix("queued      # "))
        #expect(TopCharts.sparkline([nil, 0, 0.001, 5, 100, .infinity], top: 10, isASCII: true) == " _.=# ")
    }

    @Test("A name of wide characters is cut by columns")
    func wide() {
        #expect("日本語".columns == 6)
        #expect("日本語日本語".fitted(to: 11).columns <= 11)
        #expect("日本語".left(5).columns == 5)
    }
}

@Suite("poolscope top: keys and state")
struct TopStateTests {
    private func names(_ state: TopState) -> [String] {
        let table = state.table
        let column = table?.columns.firstIndex { $0.width == 0 } ?? 0
        return table?.rows.map { $0[column].text } ?? []
    }

    private func press(_ keys: String, _ state: inout TopState) {
        for key in keys { _ = state.handle(.character(key), page: 5) }
    }

    @Test("Bytes are keys, also when sequences arrive together")
    func keys() {
        let cases: [(String, [TopKey])] = [
            ("q", [.character("q")]), ("\u{1B}[A\u{1B}OB", [.up, .down]), ("\u{1B}", [.escape]),
            ("\t\u{1B}[Z", [.tab, .backTab]),
            ("\u{1B}[5~\u{1B}[6~x", [.pageUp, .pageDown, .character("x")]), ("\r\u{7F}", [.enter, .backspace]),
            ("\u{3}\u{1A}\u{C}", [.interrupt, .suspend, .redraw]), ("\u{1B}[1;5Cé", [.right, .character("é")]),
            ("\u{1B}[99~j", [.character("j")]), ("\u{1B}[", []), ("\u{0}", []),
        ]
        for (text, keys) in cases { #expect(TopKey.keys(in: Array(text.utf8)) == keys, "\(text.debugDescription)") }
    }

    @Test("Sorting goes through the columns and back to the order of the endpoint")
    func sort() throws {
        var state = try TopScreenTests.state()
        let sent = names(state)
        #expect(sent.count == 4)
        let columns = try #require(state.table?.columns.map(\.title))
        let active = try #require(columns.firstIndex(of: "active"))
        press(String(repeating: "s", count: active + 1), &state)
        #expect(state.order.column == active)
        let values = try #require(state.table?.rows.map { $0[active].value ?? -1 })
        #expect(values == values.sorted(by: >))
        press("r", &state)
        #expect(state.table?.rows.map { $0[active].value ?? -1 } == values.reversed())
        press(String(repeating: "s", count: columns.count - active), &state)
        #expect(state.order.column == nil)
        #expect(names(state) == sent)
    }

    @Test("The filter keeps the rows that contain it, whatever the case, and Esc clears it")
    func filter() throws {
        var state = try TopScreenTests.state()
        press("/IDENT", &state)
        #expect(state.isTyping)
        #expect(Set(names(state)) == ["https://identity:443"])
        // Keys of commands are text while the filter is typed.
        press("q", &state)
        #expect(names(state).isEmpty)
        _ = state.handle(.backspace, page: 1)
        _ = state.handle(.enter, page: 1)
        #expect(!state.isTyping && state.filter == "IDENT")
        _ = state.handle(.escape, page: 1)
        #expect(names(state).count == 4)
        press("/slow 5", &state)
        #expect(Set(names(state)) == ["https://catalog-service.prod.svc.cluster.local:443"])
    }

    @Test("The selection stays within the rows")
    func selection() throws {
        var state = try TopScreenTests.state()
        press("jj", &state)
        #expect(state.selected == 2)
        _ = state.handle(.end, page: 1)
        #expect(state.selected == 3)
        press("jjjj", &state)
        #expect(state.selected == 3)
        _ = state.handle(.pageUp, page: 2)
        #expect(state.selected == 1)
        press("kkk", &state)
        #expect(state.selected == 0)
        _ = state.handle(.end, page: 1)
        press("/identity", &state)
        #expect(state.selected == 0)
    }

    @Test("A paused picture stays, and is renewed when it goes on")
    func pause() throws {
        var state = try TopScreenTests.state()
        #expect(state.handle(.character("p"), page: 1) == .none)
        let calm = StatusPages.saturated().replacingOccurrences(of: "SATURATED", with: "OTHER")
        let other = TopPicture(status: try StatusFrame.decode(StatusPage.self, "status", Array(calm.utf8)))
        state.receive(other, at: 110)
        #expect(state.picture?.status.verdicts.first?.headline.hasPrefix("SATURATED") == true)
        #expect(state.handle(.character(" "), page: 1) == .fetch)
        state.receive(other, at: 111)
        #expect(state.picture?.status.verdicts.first?.headline.hasPrefix("OTHER") == true)
    }

    @Test("Views are opened by number, Tab and arrows, and ask for their page")
    func views() throws {
        var state = try TopScreenTests.state()
        #expect(state.handle(.character("4"), page: 1) == .fetch)
        #expect(state.view == .queue && state.table == nil)
        #expect(state.handle(.tab, page: 1) == .fetch)
        #expect(state.handle(.tab, page: 1) == .fetch)
        #expect(state.view == .upstreams)
        #expect(state.handle(.backTab, page: 1) == .fetch)
        #expect(state.view == .events)
        #expect(state.handle(.character("6"), page: 1) == .none)
        #expect(state.handle(.character("q"), page: 1) == .quit)
        #expect(state.handle(.interrupt, page: 1) == .interrupt)
    }

    @Test("The environment decides about colors, characters and the cursor")
    func traits() {
        #expect(!TerminalTraits([:]).canMove)
        #expect(!TerminalTraits(["TERM": "dumb"]).canMove)
        let full = TerminalTraits(["TERM": "xterm", "LANG": "C.UTF-8"])
        #expect(full.canMove && full.hasColor && full.isUTF8)
        #expect(!TerminalTraits(["NO_COLOR": "1"]).hasColor)
        #expect(TerminalTraits(["NO_COLOR": ""]).hasColor)
        #expect(!TerminalTraits(["LC_ALL": "C", "LANG": "C.UTF-8"]).isUTF8)
    }
}
