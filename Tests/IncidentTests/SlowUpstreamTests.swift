import Foundation
import HTTPPool
import TestSupport
import Testing

/// A gateway with five call sites, one of whose upstreams slows to four seconds. Every request, every wait and every page is
/// real.
@Suite("An incident: an upstream slows down", .serialized)
struct SlowUpstreamTests {
    private static let settings = #""maxConnections": 60, "maxConnectionsPerOrigin": 16, "poolTimeout": 3"#

    @Test(
        "is named with its cause, its beginning and its holders, is relieved by a reload, and is remembered afterwards"
    )
    func incident() async throws {
        try await Gateway.run(Self.settings) { gateway in
            try await gateway.working { try await incident(gateway) }
        }
    }

    private func incident(_ gateway: Gateway) async throws {
        let catalog = gateway.origin(Gateway.catalog)

        // What is usual is known after the first whole minute.
        let healthy = try await gateway.page(within: .seconds(150), showing: "healthy, with what is usual") { page in
            page.headline.hasPrefix("HEALTHY: ") && usualIsKnown(page, catalog)
        }
        #expect(healthy.headline == "HEALTHY: nobody waits for a connection; no upstream is slow or failing")
        for caller in Gateway.callers { #expect(healthy.text.contains(caller.site.name)) }
        try IncidentArticle.shows(healthy, as: "slow, before")

        try await calm(gateway)
        let began = Date()
        gateway.catalogUpstream.respond(after: 4_000)
        let begins = try await gateway.page(showing: "saturated") { $0.headline.hasPrefix("SATURATED for ") }
        let isSaturated = Date()
        #expect(begins.headline.hasSuffix(": 1 upstream is at its limit of 16 connections"), "\(begins.text)")
        #expect(begins.lines[1] == "  \(catalog)", "the upstream whole, and alone")
        #expect(begins.lines.dropLast().last?.hasPrefix("SATURATED for ") == true, "the last line repeats it")
        #expect(begins.row("cause")?.hasPrefix("The upstream is slow: it responds in ") == true, "\(begins.text)")
        #expect(begins.row("set") == nil, "\(begins.text)")
        try IncidentArticle.shows(begins, as: "slow, it begins")

        let named = try await gateway.page(showing: "named, with its cost") { page in
            page.row("cause")?.hasPrefix("The upstream is slow") == true && page.row("cost") != nil
        }
        #expect(named.lines[1] == "  \(catalog)")
        #expect(named.lines[2].contains("are queued for it, the oldest for "), "\(named.text)")
        let cause = try #require(named.row("cause"))
        #expect(cause.contains("usually in ") && cause.contains(" ms"), "\(cause)")
        let since = try await sinceOfFirstVerdict(gateway)
        #expect(since >= began.addingTimeInterval(-1) && since <= isSaturated, "\(since), \(began), \(isSaturated)")
        #expect(named.row("since")?.hasSuffix(" UTC") == true)
        let holders = try #require(named.row("held by"))
        #expect(holders.contains("\"tool calls\": ") && holders.contains("of 16"), "\(holders)")
        #expect(!holders.contains("token exchange") && !holders.contains("search"), "\(holders)")
        #expect(named.row("limit")?.hasPrefix("16 connections per upstream. The pool has room: ") == true)
        #expect(named.row("do first")?.hasPrefix("Find out why it is slow.") == true, "\(named.text)")
        #expect(named.row("set") == nil, "\(named.text)")
        let setting = "httpClient.maxConnectionsPerOrigin, now 16, from a file; in force once the file is reloaded, at"
        #expect(named.row("or set") == setting + " once on SIGHUP", "\(named.text)")
        try IncidentArticle.shows(named, as: "slow, it is named")

        let leases = try await gateway.page("/leases?origin=catalog", showing: "leases")
        #expect(leases.text.contains("tool calls") && leases.text.contains(catalog), "\(leases.text)")
        let queue = try await gateway.page("/queue", showing: "queued requests") { $0.text.contains("oldest first") }
        #expect(queue.lines.contains("  a limit is reached: see /"), "\(queue.text)")

        try gateway.reload(#""maxConnections": 60, "maxConnectionsPerOrigin": 45, "poolTimeout": 3"#)
        let raised = try await gateway.page(showing: "no longer saturated, but slow") { page in
            page.headline.contains(#/^UPSTREAM SLOW for .*: it responds in [1-9]\.\d s, usually in \d+ ms$/#)
        }
        #expect(raised.lines[1] == "  \(catalog)")
        #expect(raised.row("last")?.contains(" ago SATURATED for ") == true, "\(raised.text)")
        #expect(raised.row("last")?.hasSuffix(": \(catalog)") == true, "\(raised.text)")
        let config = try await gateway.page("/config", showing: "the source of the limit")
        #expect(config.text.contains("set by: reload, key httpClient.maxConnectionsPerOrigin"), "\(config.text)")
        try IncidentArticle.shows(raised, as: "slow, the limit is raised")

        gateway.catalogUpstream.respond(after: 2)
        let over = try await gateway.page(within: .seconds(60), showing: "healthy again") {
            $0.headline.hasPrefix("HEALTHY: ")
        }
        let last = try #require(over.row("last"))
        #expect(last.contains(" ago UPSTREAM SLOW for ") && last.contains(" ago SATURATED for "), "\(over.text)")
        try IncidentArticle.shows(over, as: "slow, afterwards")
        let all = [
            "  saturated", "  upstream slow", "  no longer saturated", "  over: upstream slow", "  limits changed",
        ]
        let events = try await gateway.page("/events?since=1min", showing: "its events to the end") { page in
            all.allSatisfy(page.text.contains)
        }
        try IncidentArticle.shows(events, as: "slow, its events")
    }

    /// Waits until no earlier saturation counts as going on, which a machine that pauses brings about.
    private func calm(_ gateway: Gateway) async throws {
        try await eventually("the last saturation is over") {
            let events = try #require(try await gateway.json("/events")["events"] as? [[String: Any]])
            let kinds = events.compactMap { $0["kind"] as? String }
            return kinds.first { $0.hasPrefix("saturation_") } != "saturation_began"
        }
    }

    /// The table of upstreams has a name on a line of its own if it is long, and its numbers on the next one.
    private func usualIsKnown(_ page: CapturedPage, _ origin: String) -> Bool {
        guard let line = page.lines.firstIndex(of: origin) else { return false }
        return page.lines[line + 1].hasSuffix(" ms")
    }

    /// When the headline's condition began, by the page's JSON.
    private func sinceOfFirstVerdict(_ gateway: Gateway) async throws -> Date {
        let verdicts = try #require(try await gateway.json()["verdicts"] as? [[String: Any]])
        let since = try #require(verdicts.first?["since"] as? String)
        return try Date(since, strategy: .iso8601)
    }
}
