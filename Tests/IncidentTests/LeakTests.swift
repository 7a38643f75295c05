import HTTPPool
import HTTPTypes
import PoolMetrics
import Synchronization
import TestSupport
import Testing

/// A call site that keeps its responses, drops none of them and reads none of them, until it has every connection.
@Suite("An incident: a leak", .serialized)
struct LeakTests {
    // A lease is overdue after a second here; after a minute by default.
    private static let settings = #""maxConnections": 10, "poolTimeout": 3, "overdueLease": 1"#

    @Test("is our own code by its call site, from the first lease to the last connection, and no limit is to be raised")
    func incident() async throws {
        try await Gateway.run(Self.settings) { gateway in
            let others = Gateway.callers.filter { $0.host != Gateway.catalog }
            try await gateway.working(others) { try await incident(gateway) }
        }
    }

    private func incident(_ gateway: Gateway) async throws {
        let catalog = gateway.origin(Gateway.catalog)
        var kept: [PooledResponse] = []
        for _ in 0..<4 { kept.append(try await gateway.send("catalog export", Gateway.catalog, "/catalog/large")) }

        let suspected = try await gateway.page(showing: "a leak of all four") { page in
            page.headline.hasPrefix("LEAK SUSPECTED for ") && page.headline.hasSuffix(" holds 4 connections")
        }
        #expect(suspected.headline.hasSuffix(": our own code holds 4 connections"))
        #expect(suspected.lines[1] == "  \(catalog)", "\(suspected.text)")
        #expect(suspected.lines[2].hasPrefix("  Their responses are here; call site \"catalog export\" does not read"))
        #expect(suspected.row("since")?.hasSuffix(" UTC") == true)
        #expect(suspected.row("cause")?.hasPrefix("No byte has moved for 1.0 s or longer: 4 requests, ") == true)
        #expect(suspected.row("held by") == "call site \"catalog export\": 4 of 4")
        let advice =
            "In the code of \"catalog export\": read each body to its end, call discard(), or let go of the response."
        #expect(suspected.row("do first") == advice)
        expectNoLimitIsRaised(suspected)
        try IncidentArticle.shows(suspected, as: "leak, it is suspected")
        let leases = try await gateway.page("/leases?min_age=1", showing: "who holds, and since when")
        #expect(leases.lines.filter { $0.contains("our code") && $0.contains("catalog export") }.count >= 4)
        try IncidentArticle.shows(leases, as: "leak, its leases")

        // It goes on until nobody else has a connection.
        while let more = try? await gateway.send("catalog export", Gateway.catalog, "/catalog/large") {
            kept.append(more)
        }
        let saturated = try await gateway.page(showing: "saturated by the leak") { page in
            page.headline.hasPrefix("SATURATED for ") && page.row("cause")?.hasPrefix("Our own code holds ") == true
        }
        #expect(saturated.headline.contains("1 upstream holds "), "\(saturated.text)")
        #expect(saturated.lines[1] == "  \(catalog)", "\(saturated.text)")
        #expect(saturated.row("cause")?.hasSuffix("most in call site \"catalog export\".") == true)
        #expect(saturated.row("do first")?.hasSuffix(advice) == true, "\(saturated.text)")
        expectNoLimitIsRaised(saturated)
        try IncidentArticle.shows(saturated, as: "leak, it has every connection")

        // The responses go, and with them the connections whose bodies were not read.
        kept = []
        let over = try await gateway.page(showing: "healthy again, and what was") { page in
            page.headline.hasPrefix("HEALTHY: ") && page.row("last") != nil
        }
        #expect(over.row("last")?.contains(" ago LEAK SUSPECTED for ") == true, "\(over.text)")
        withExtendedLifetime(kept) {}
    }

    /// More connections would leak as well.
    private func expectNoLimitIsRaised(_ page: CapturedPage, sourceLocation: SourceLocation = #_sourceLocation) {
        let advice = ["do first", "set", "or set"].compactMap(page.row).joined(separator: "\n")
        #expect(
            !advice.contains("onnections, now ") && !advice.contains("aise"),
            "\(page.text)",
            sourceLocation: sourceLocation
        )
        #expect(!advice.contains("limit per upstream"), "\(page.text)", sourceLocation: sourceLocation)
    }
}
