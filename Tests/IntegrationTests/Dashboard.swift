import Foundation

/// The queries of the Grafana dashboard as a Prometheus can be asked them: every variable replaced.
struct Dashboard: Sendable {
    /// One query of one panel.
    struct Query: Sendable {
        let panel: String
        let expr: String
    }

    /// Why a query cannot be asked.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let panels: [JSON.Panel]
    /// What each variable stands for when all is chosen.
    private let variables: [String: String]

    /// Reads the dashboard of this package, or another.
    init(contentsOf file: URL = Dashboard.file) throws {
        let json = try JSONDecoder().decode(JSON.self, from: Data(contentsOf: file))
        panels = json.panels
        variables = Dictionary(uniqueKeysWithValues: json.templating.list.map { ($0.name, $0.allValue ?? "") })
    }

    /// `dashboards/grafana/poolscope.json` of this package.
    static let file = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("dashboards/grafana/poolscope.json")

    /// Every query of every panel.
    ///
    /// - Parameters:
    ///   - rateInterval: in place of `$__rate_interval`, such as `30s`.
    ///   - values: regular expressions for the variables `job`, `instance` and `pool`; the others match all.
    /// - Throws: ``Failure`` for a value of a variable that there is not, and for a `$` that is left.
    func queries(rateInterval: String, values: [String: String] = [:]) throws -> [Query] {
        var replacements = variables
        for (name, value) in values {
            guard replacements.updateValue(value, forKey: name) != nil else {
                throw Failure(description: "the dashboard has no variable \(name)")
            }
        }
        replacements["__rate_interval"] = rateInterval
        // The longest first, so that `$job` does not eat the beginning of `$job_name`.
        let names = replacements.keys.sorted { ($1.count, $0) < ($0.count, $1) }
        return try panels.flatMap { panel in
            try (panel.targets ?? []).map { target in
                var expr = target.expr
                for name in names {
                    let value = replacements[name] ?? ""
                    expr = expr.replacingOccurrences(of: "${\(name)}", with: value)
                    expr = expr.replacingOccurrences(of: "$\(name)", with: value)
                }
                guard !expr.contains("$") else { throw Failure(description: "\(panel.title): a $ is left in \(expr)") }
                return Query(panel: panel.title, expr: expr)
            }
        }
    }

    private struct JSON: Decodable {
        struct Panel: Decodable {
            struct Target: Decodable { let expr: String }
            let title: String
            let targets: [Target]?
        }
        struct Templating: Decodable {
            struct Variable: Decodable {
                let name: String
                let allValue: String?
            }
            let list: [Variable]
        }
        let panels: [Panel]
        let templating: Templating
    }
}
