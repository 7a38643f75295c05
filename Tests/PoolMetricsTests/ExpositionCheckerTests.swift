import HTTPPool
import TestSupport
import Testing

@testable import PoolMetrics

/// Each rule is broken once, in the text of a pool that keeps them all.
@Suite("The checker of expositions")
struct ExpositionCheckerTests {
    typealias Rule = ExpositionChecker.Rule

    private func text(of pool: ScriptedPool) -> String {
        String(decoding: Exposition.render(pool.scrape(), as: .text), as: UTF8.self)
    }

    private func read(_ text: String) throws -> ExpositionReader { try ExpositionReader(Array(text.utf8)) }

    private static func at(_ seconds: Double) -> MonotonicTime { MonotonicTime(nanoseconds: UInt64(seconds * 1e9)) }

    /// The text with the value of the one series that begins like this changed.
    private func changed(_ text: String, _ series: String, _ change: (Double) -> Double) throws -> String {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let found = lines.indices.filter { lines[$0].hasPrefix("http_client_pool_" + series) }
        let index = try #require(found.count == 1 ? found.first : nil, "\(series): \(found.count)")
        let end = try #require(lines[index].lastIndex(of: " "))
        let value = try #require(Double(lines[index][lines[index].index(after: end)...]))
        lines[index] = "\(lines[index][..<end]) \(change(value))"
        return lines.joined(separator: "\n")
    }

    static let api = #"pool="scripted",origin="https://api.test:443""#
    static let pool = #"pool="scripted""#

    /// One series and what is added to it, by the rule that this breaks.
    static let faults: [(Rule, String, Double)] = [
        (.connectionLimit, "max_connections{", -3),
        (.openConnections, #"connections_closed_total{\#(api),reason="evicted"}"#, 1),
        (.leases, #"leases_total{\#(api),outcome="5xx"}"#, 1),
        (.acquired, #"acquires_total{\#(api),kind="multiplexed"}"#, 1),
        (.acquireFailed, #"acquire_failures_total{pool="scripted",origin="http://down.test:8080",reason="lost"}"#, 1),
        (.queueWait, #"acquire_failures_total{pool="scripted",origin="http://down.test:8080",reason="lost"}"#, 1),
        (.leaseDurations, #"leases_total{\#(api),outcome="timeout"}"#, 1),
        (.retries, "stale_retries_total{\(api)}", 1),
        (.responses, "responses_total{\(api)}", 1),
        (.connects, "connections_opened_total{\(api)}", 1),
        (.lifetimes, #"connections_closed_total{\#(api),reason="go_away"}"#, 1),
        (.idleLimit, "max_idle_connections{", -2),
        (.activeConnections, #"connections{\#(api),state="active"}"#, 2),
        (.negative, #"requests{\#(api),state="connecting"}"#, -1),
        (.sites, #"site_requests{\#(pool),site="catalog",state="in_flight"}"#, 1),
        (.sites, #"site_acquires_total{\#(pool),site="catalog"}"#, -1),
        (.sites, #"site_lease_seconds_total{\#(pool),site="catalog"}"#, 1e-6),
        (.sites, #"wait_seconds_total{\#(api)}"#, 1e-6),
        (.peaks, #"connections_peak{\#(pool),state="open"}"#, -1),
        (.peaks, "queued_peak{", -1),
        (.peaks, "demand_peak{", -1),
        (.saturation, #"saturated{\#(pool),limit="none"}"#, 1),
        (.saturation, #"saturated{\#(pool),limit="connections_per_origin"}"#, -1),
        (.overdue, #"overdue_leases{\#(pool),held_by="caller"}"#, 2),
        (.waits, #"acquire_duration_seconds_sum{\#(pool),outcome="acquired"}"#, 1000),
        (.reuse, "reuse_ratio{", 0.01),
    ]

    @Test("finds nothing in a pool that keeps every rule, from its first moment to after its end")
    func well() async throws {
        var checker = ExpositionChecker()
        let pool = try ScriptedPool(PoolConfiguration())
        #expect(checker.check(try read(text(of: pool)), began: Self.at(1), ended: Self.at(1)) == [])
        let busy = try ScriptedPool.busy()
        checker = ExpositionChecker()
        for second in 1...3 {
            let now = Self.at(Double(second))
            #expect(checker.check(try read(text(of: busy)), began: now, ended: now) == [])
            busy.pass(.seconds(1))
        }
        await busy.shutdown(.immediate)
        #expect(checker.check(try read(text(of: busy)), began: Self.at(4), ended: Self.at(4)) == [])
    }

    @Test("finds a fault of each rule within a scrape", arguments: faults)
    func within(rule: Rule, series: String, by difference: Double) throws {
        let busy = try ScriptedPool.busy()
        let page = try read(try changed(text(of: busy), series) { $0 + difference })
        var checker = ExpositionChecker()
        let found = checker.check(page, began: Self.at(1), ended: Self.at(1))
        #expect(found.contains { $0.rule == rule }, "\(found)")
    }

    @Test("finds that fewer connections are active than requests are in flight, where each has its own")
    func http1() throws {
        let text = text(of: try ScriptedPool.busy()).replacing(#"http2="negotiated""#, with: #"http2="off""#)
        var checker = ExpositionChecker()
        let found = checker.check(try read(text), began: Self.at(1), ended: Self.at(1))
        #expect(found.map(\.rule) == [.activeConnections], "\(found)")
    }

    @Test("finds a counter that falls, and the sum of a histogram")
    func falling() throws {
        let busy = try ScriptedPool.busy()
        for series in ["config_changes_total{", "lease_duration_seconds_sum{"] {
            var checker = ExpositionChecker()
            let before = try read(try changed(text(of: busy), series) { $0 + 1 })
            _ = checker.check(before, began: Self.at(1), ended: Self.at(1))
            let found = checker.check(try read(text(of: busy)), began: Self.at(2), ended: Self.at(2))
            #expect(found.map(\.rule).contains(.falling), "\(series): \(found)")
        }
    }

    @Test(
        "finds an integral that grows faster than its level, and no other within less than a minute",
        arguments: [
            (#"connection_seconds_total{\#(pool),state="idle"}"#, 4.0), ("queued_seconds_total{", 1.0),
            (#"lease_seconds_total{\#(api)}"#, 6.0),
            (#"saturated_seconds_total{\#(pool),limit="connections_per_origin"}"#, 1.0),
        ]
    )
    func growth(series: String, most: Double) throws {
        let busy = try ScriptedPool.busy()
        for (seconds, isFound) in [(2.0, true), (61.0, false)] {
            var checker = ExpositionChecker()
            let before = try read(text(of: busy))
            _ = checker.check(before, began: Self.at(1), ended: Self.at(1))
            let after = try read(try changed(text(of: busy), series) { $0 + most * seconds + 0.001 })
            let found = checker.check(after, began: Self.at(1 + seconds), ended: Self.at(1 + seconds))
            #expect(found.contains { $0.rule == .growth } == isFound, "\(found)")
            var patient = ExpositionChecker()
            _ = patient.check(before, began: Self.at(1), ended: Self.at(1))
            let slow = patient.check(after, began: Self.at(20 + seconds), ended: Self.at(20 + seconds))
            #expect(!slow.contains { $0.rule == .growth }, "\(slow)")
        }
    }

    @Test("finds a sample that one format alone carries")
    func formats() throws {
        let busy = try ScriptedPool.busy()
        let scrape = busy.scrape(process: .current())
        let text = String(decoding: Exposition.render(scrape, as: .text), as: UTF8.self)
        let other = try ExpositionReader(Exposition.render(scrape, as: .openMetrics), as: .openMetrics)
        #expect(ExpositionChecker.difference(text: try read(text), openMetrics: other) == [])
        let wrong = try read(try changed(text, "queued_peak{") { $0 + 1 })
        #expect(ExpositionChecker.difference(text: wrong, openMetrics: other).map(\.rule) == [.formats, .formats])
    }

    @Test("Every rule is broken by one of these tests")
    func complete() {
        let elsewhere: Set<Rule> = [.falling, .growth, .formats]
        #expect(Set(Self.faults.map(\.0)).union(elsewhere) == Set(Rule.allCases))
    }
}
