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

    let title: String
    let editable: Bool
    let annotations: Annotations
    let templating: Variables
    let panels: [Panel]
}

@Suite("The dashboard and the rules")
struct DashboardContractTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("dashboards")

    private func dashboard() throws -> GrafanaDashboard {
        let file = Self.folder.appendingPathComponent("grafana/poolscope.json")
        return try JSONDecoder().decode(GrafanaDashboard.self, from: Data(contentsOf: file))
    }

    private func queries() throws -> [(panel: String, expr: String)] {
        let dashboard = try dashboard()
        return dashboard.panels.flatMap { panel in (panel.targets ?? []).map { (panel.title, $0.expr) } }
            + dashboard.annotations.list.map { ($0.name, $0.expr) }
    }

    /// What a family is asked for by: a histogram by its three parts.
    private var sampleNames: Set<String> {
        Set(
            Family.all.flatMap { family in
                family.kind == .histogram ? ["_bucket", "_sum", "_count"].map { family.name + $0 } : [family.name]
            }
        )
    }

    @Test("cannot be edited by accident, and take their source and targets from variables")
    func variables() throws {
        let dashboard = try dashboard()
        #expect(!dashboard.editable)
        let variables = dashboard.templating.list
        #expect(variables.map(\.name) == ["datasource", "job", "instance", "pool"])
        #expect(variables.first?.type == "datasource")
        for variable in variables.dropFirst() {
            #expect(variable.type == "query" && variable.multi && variable.includeAll, "\(variable.name)")
            #expect(variable.allValue == ".+", "\(variable.name)")
            #expect(variable.refresh == 2, "\(variable.name) must be read again when the time range changes")
        }
    }

    @Test("every panel has a number, a title, a description and a unit of its own")
    func panels() throws {
        let panels = try dashboard().panels
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

    @Test("a change of the limits is marked on every panel, at the moment of the change")
    func annotations() throws {
        let marks = try dashboard().annotations.list
        #expect(marks.map(\.name) == ["Limits changed"])
        #expect(marks.allSatisfy { $0.enable && $0.datasource.uid == "${datasource}" })
        #expect(marks.allSatisfy { $0.expr.contains("http_client_pool_config_last_change_timestamp_seconds") })
    }

    @Test("no panel lies upon another or beside the grid")
    func layout() throws {
        var taken: [[Int]: String] = [:]
        for panel in try dashboard().panels {
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

    @Test("every query asks for metrics that there are, of the chosen jobs and instances, over Grafana's own interval")
    func queriesFitTheExposition() throws {
        let known = sampleNames
        for (panel, expr) in try queries() {
            let selectors = expr.matches(of: /([A-Za-z_:][A-Za-z0-9_:]*)\{([^}]*)\}/)
            #expect(!selectors.isEmpty, "\(panel): \(expr)")
            for selector in selectors {
                #expect(known.contains(String(selector.1)), "\(panel): there is no \(selector.1)")
                #expect(selector.2.contains(#"job=~"$job""#), "\(panel): \(expr)")
                #expect(selector.2.contains(#"instance=~"$instance""#), "\(panel): \(expr)")
            }
            let bare = expr.matches(of: /\b(http_client_|process_|poolscope_)[a-z0-9_]+(?![a-z0-9_{])/)
            #expect(bare.isEmpty, "\(panel): a metric without matchers in \(expr)")
            for range in expr.matches(of: /\[([^\]]*)\]/) {
                #expect(range.1 == "$__rate_interval", "\(panel): \(expr)")
            }
        }
    }

    @Test("every rule asks for metrics that there are")
    func rulesFitTheExposition() throws {
        let known = sampleNames
        let rules = try String(contentsOf: Self.folder.appendingPathComponent("prometheus/rules.yml"), encoding: .utf8)
        // A name with a colon is that of a recording rule, which promtool knows.
        let names = rules.matches(of: /[A-Za-z0-9_:]+/).map { String($0.0) }
            .filter { $0.wholeMatch(of: /(http_client_pool|process_|poolscope_)[a-z0-9_]+/) != nil }
        #expect(!names.isEmpty)
        for name in names { #expect(known.contains(name), "there is no \(name)") }
    }

    @Test("what is generated is committed, and every alert has tests and an entry in the runbook")
    func generated() async throws {
        let result = try await runProgram("python3", [Self.folder.appendingPathComponent("generate.py").path, "--check"])
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }

    @Test("promtool accepts the configuration, the rules and the runbook's queries, and every alert does what its tests say")
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
