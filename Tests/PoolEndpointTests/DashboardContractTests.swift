import Foundation
import TestSupport
import Testing

@testable import PoolMetrics

/// The parts of Grafana's JSON that the contract is about.
private struct GrafanaDashboard: Decodable {
    struct Source: Decodable { let uid: String }

    struct Panel: Decodable {
        struct Position: Decodable { let h, w, x, y: Int }
        struct Field: Decodable {
            struct Defaults: Decodable { let unit: String? }
            let defaults: Defaults
        }
        struct Target: Decodable {
            let refId: String
            let datasource: Source
            let expr: String
        }
        let id: Int
        let type: String
        let title: String
        let description: String?
        let datasource: Source?
        let gridPos: Position
        let fieldConfig: Field?
        let targets: [Target]?
    }

    struct Variables: Decodable {
        struct Variable: Decodable {
            let name: String
            let type: String
            let refresh: Int
            let multi: Bool
            let includeAll: Bool
            let allValue: String?
        }
        let list: [Variable]
    }

    struct Annotations: Decodable {
        struct Annotation: Decodable {
            let name: String
            let datasource: Source
            let expr: String
            let enable: Bool
        }
        let list: [Annotation]
    }

    struct Link: Decodable { let type: String, url: String, tags: [String] }

    let uid: String
    let title: String
    let editable: Bool
    let links: [Link]
    let annotations: Annotations
    let templating: Variables
    let panels: [Panel]
}

@Suite("The boards and the rules")
struct DashboardContractTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("dashboards")

    private static let names = ["fleet", "service", "pool", "origin"]

    private func board(_ name: String) throws -> GrafanaDashboard {
        let file = Self.folder.appendingPathComponent("grafana/\(name).json")
        return try JSONDecoder().decode(GrafanaDashboard.self, from: Data(contentsOf: file))
    }

    private func queries(_ board: GrafanaDashboard) -> [(panel: String, expr: String)] {
        board.panels.flatMap { panel in (panel.targets ?? []).map { (panel.title, $0.expr) } }
            + board.annotations.list.map { ($0.name, $0.expr) }
    }

    private func rules() throws -> String {
        try String(contentsOf: Self.folder.appendingPathComponent("prometheus/rules.yml"), encoding: .utf8)
    }

    /// What a family is asked for by: a histogram by its three parts.
    private func sampleNames(_ family: Family) -> [String] {
        family.kind == .histogram ? ["_bucket", "_sum", "_count"].map { family.name + $0 } : [family.name]
    }

    private var sampleNames: Set<String> { Set(Family.all.flatMap(sampleNames)) }

    /// The metrics of a query that have matchers, and these.
    private func selectors(_ expr: String) -> [(metric: String, matchers: String)] {
        expr.matches(of: /([A-Za-z_:][A-Za-z0-9_:]*)\{([^}]*)\}/).map { (String($0.1), String($0.2)) }
    }

    @Test("cannot be edited by accident, and take their source and targets from variables", arguments: names)
    func variables(name: String) throws {
        let board = try board(name)
        #expect(!board.editable)
        #expect(board.uid == "poolscope-\(name)")
        let variables = board.templating.list
        let labels = ["cluster", "namespace", "job", "instance", "pool", "origin", "site"]
        #expect(variables.map(\.name) == ["datasource"] + labels.prefix(variables.count - 1))
        #expect(variables.count >= 6)
        #expect(variables.first?.type == "datasource")
        for variable in variables.dropFirst() {
            #expect(variable.type == "query" && variable.multi && variable.includeAll, "\(variable.name)")
            // A Prometheus need not have the first two labels, and all of them includes none.
            let all = ["cluster", "namespace"].contains(variable.name) ? ".*" : ".+"
            #expect(variable.allValue == all, "\(variable.name)")
            #expect(variable.refresh == 2, "\(variable.name) must be read again when the time range changes")
        }
    }

    @Test("every panel has a number, a title, a description and a unit of its own", arguments: names)
    func panels(name: String) throws {
        let panels = try board(name).panels
        #expect(Set(panels.map(\.id)).count == panels.count)
        #expect(Set(panels.map(\.title)).count == panels.count)
        for panel in panels where panel.type != "row" {
            #expect(!panel.title.isEmpty && panel.description?.isEmpty == false, "\(panel.title)")
            #expect(panel.fieldConfig?.defaults.unit?.isEmpty == false, "\(panel.title)")
            #expect(panel.datasource?.uid == "${datasource}", "\(panel.title)")
            let targets = try #require(panel.targets, "\(panel.title)")
            #expect(!targets.isEmpty && Set(targets.map(\.refId)).count == targets.count, "\(panel.title)")
            #expect(targets.allSatisfy { $0.datasource.uid == "${datasource}" }, "\(panel.title)")
        }
    }

    @Test("changes of limits, restarts and alerts are marked on every panel", arguments: names)
    func annotations(name: String) throws {
        let marks = try board(name).annotations.list
        #expect(marks.map(\.name) == ["Limits changed", "Restarts", "Alerts"])
        #expect(marks.allSatisfy { $0.enable && $0.datasource.uid == "${datasource}" })
    }

    @Test("each board leads to the others and to the runbook", arguments: names)
    func links(name: String) throws {
        let links = try board(name).links
        #expect(links.contains { $0.type == "dashboards" && $0.tags == ["poolscope"] })
        #expect(links.contains { $0.type == "link" && $0.url.hasSuffix("runbook.md") })
    }

    @Test("no panel lies upon another or beside the grid", arguments: names)
    func layout(name: String) throws {
        var taken: [[Int]: String] = [:]
        for panel in try board(name).panels {
            let place = panel.gridPos
            #expect(place.x >= 0 && place.w > 0 && place.h > 0 && place.x + place.w <= 24, "\(panel.title)")
            for x in place.x..<place.x + place.w {
                for y in place.y..<place.y + place.h {
                    let other = taken.updateValue(panel.title, forKey: [x, y])
                    #expect(other == nil, "\(panel.title) lies upon \(other ?? "")")
                }
            }
        }
    }

    @Test(
        "every query asks for metrics that there are, of what was chosen, over Grafana's own interval",
        arguments: names
    )
    func queriesFitTheExposition(name: String) throws {
        let recorded = try rules().matches(of: /record: "([^"]+)"/).map { String($0.1) }
        let known = sampleNames.union(recorded).union(["ALERTS", "ALERTS_FOR_STATE", "up"])
        for (panel, expr) in try queries(board(name)) {
            let selectors = selectors(expr)
            #expect(!selectors.isEmpty, "\(panel): \(expr)")
            for selector in selectors {
                #expect(known.contains(selector.metric), "\(panel): there is no \(selector.metric)")
                #expect(selector.matchers.contains(#"job=~"$job""#), "\(panel): \(expr)")
                // What a rule has summed over instances has none, and an alert need not.
                let isSummed = selector.metric.hasPrefix("job_pool") || selector.metric.hasPrefix("ALERTS")
                #expect(selector.matchers.contains(#"instance=~"$instance""#) != isSummed, "\(panel): \(expr)")
            }
            let bare = expr.matches(of: /\b(http_client_|process_|poolscope_)[a-z0-9_]+(?![a-z0-9_:{])/)
            #expect(bare.isEmpty, "\(panel): a metric without matchers in \(expr)")
            for range in expr.matches(of: /\[([^\]]*)\]/) {
                #expect(range.1 == "$__rate_interval", "\(panel): \(expr)")
            }
        }
    }

    @Test("every family is on a panel of some board")
    func coverage() throws {
        let shown = try Set(Self.names.flatMap { try queries(board($0)).flatMap { selectors($0.expr).map(\.metric) } })
        for family in Family.all {
            #expect(!shown.isDisjoint(with: sampleNames(family)), "no panel shows \(family.name)")
        }
    }

    @Test("a client per request is shown by queries that ask for no pool", arguments: ["fleet", "service"])
    func clientPerRequest(name: String) throws {
        let found = try queries(board(name)).flatMap { selectors($0.expr) }.filter {
            ["http_client_pools", "http_client_pools_created_total"].contains($0.metric)
        }
        #expect(Set(found.map(\.metric)).count == 2)
        #expect(found.allSatisfy { !$0.matchers.contains("pool") })
    }

    @Test("every rule asks for metrics that there are")
    func rulesFitTheExposition() throws {
        let known = sampleNames
        // A name with a colon is that of a recording rule, which promtool knows.
        let names = try rules().matches(of: /[A-Za-z0-9_:]+/).map { String($0.0) }
            .filter { $0.wholeMatch(of: /(http_client_pool|process_|poolscope_)[a-z0-9_]+/) != nil }
        #expect(!names.isEmpty)
        for name in names { #expect(known.contains(name), "there is no \(name)") }
    }

    @Test("what is generated is committed, and every alert has tests and an entry in the runbook")
    func generated() async throws {
        let result = try await runProgram(
            "python3",
            [Self.folder.appendingPathComponent("generate.py").path, "--check"]
        )
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }

    @Test(
        "promtool accepts the configuration, the rules and the runbook's queries, and every alert does what its tests say"
    )
    func promtool() async throws {
        for command in [
            ["promtool", "check", "config", "\(Self.folder.path)/prometheus/prometheus.yml"],
            ["python3", Self.folder.appendingPathComponent("generate.py").path, "--test"],
        ] {
            let result = try await runProgram(command[0], Array(command.dropFirst()))
            #expect(result.status == 0, "\(result.output)\(result.errors)")
        }
    }
}
