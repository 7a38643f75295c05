import HTTPPool
import TestSupport
import Testing

/// The upstream's process is gone, and comes back.
@Suite("An incident: an upstream is dead", .serialized)
struct DeadUpstreamTests {
    @Test("is down since when, for which reason, since when it has not responded, and no setting is to be changed")
    func incident() async throws {
        try await Gateway.run(#""maxConnections": 20"#) { gateway in
            try await gateway.working { try await incident(gateway) }
        }
    }

    private func incident(_ gateway: Gateway) async throws {
        let catalog = gateway.origin(Gateway.catalog)
        _ = try await gateway.page(showing: "healthy") { $0.headline.hasPrefix("HEALTHY: ") }
        try await gateway.nginx.stop()
        let down = try await gateway.page(within: .seconds(45), showing: "down") { page in
            page.headline.hasPrefix("UPSTREAM DOWN for ")
        }
        #expect(down.headline.hasSuffix(": it refuses connections"))
        #expect(down.lines[2].contains("attempts to connect failed in the last "), "\(down.text)")
        #expect(down.row("since")?.hasSuffix(" UTC") == true)
        #expect(down.row("cause")?.hasPrefix("refused: ") == true, "\(down.text)")
        #expect(down.row("error")?.contains("onnect") == true, "\(down.text)")
        #expect(down.row("before")?.hasPrefix("it last responded at ") == true, "\(down.text)")
        #expect(down.row("do first")?.hasPrefix("Check that it is running and listens on this port") == true)
        #expect(down.row("or set") == "nothing: no setting of the pool helps")
        #expect(down.row("set") == nil)
        // All three were behind the process that is gone: each is named, one as the headline.
        let all = [Gateway.catalog, Gateway.identity, Gateway.search].map(gateway.origin)
        let named = try await gateway.page(showing: "all three") { page in all.allSatisfy(page.text.contains) }
        #expect(named.text.contains(catalog))
        try IncidentArticle.shows(down, as: "dead, it is down")
        let events = try await gateway.page("/events", showing: "events")
        #expect(events.text.contains("connection failed: refused"), "\(events.text)")
    }
}
