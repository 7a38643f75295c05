import Foundation

/// The queries of a Grafana board as a Prometheus can be asked them: every variable replaced.
struct Dashboard: Sendable {
    /// One query of one panel.
    struct Query: Sendable {
        let panel: String
        let expr: String
    }

    /// Where the values of one variable come from: the values of a label in the series that a selector finds.
    struct LabelQuery: Sendable {
        let variable: String
        let selector: String
        let label: String
    }

    /// Why a query cannot be asked.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let panels: [JSON.Panel]
    private let variables: [JSON.Templating.Variable]

    /// The title, for the messages of tests.
    let title: String

    /// Panels and rows.
    var panelCount: Int { panels.count }

    /// Reads a board.
    init(contentsOf file: URL) throws {
        let json = try JSONDecoder().decode(JSON.self, from: Data(contentsOf: file))
        title = json.title
        panels = json.panels
        variables = json.templating.list
    }

    /// `dashboards` of this package.
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("dashboards")

    /// The boards of this package.
    static func all() throws -> [Dashboard] {
        let folder = Self.folder.appendingPathComponent("grafana")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().filter {
            $0.hasSuffix(".json")
        }
        .map { try Dashboard(contentsOf: folder.appendingPathComponent($0)) }
    }

    /// Every query of every panel.
    ///
    /// - Parameters:
    ///   - rateInterval: in place of `$__rate_interval`, such as `30s`.
    ///   - values: regular expressions for the variables `job`, `instance` and `pool`; the others match all.
    /// - Throws: ``Failure`` for a value of a variable that there is not, and for a `$` that is left.
    func queries(rateInterval: String, values: [String: String] = [:]) throws -> [Query] {
        var replacements = allValues
        for (name, value) in values {
            guard replacements.updateValue(value, forKey: name) != nil else {
                throw Failure(description: "the dashboard has no variable \(name)")
            }
        }
        replacements["__rate_interval"] = rateInterval
        return try panels.flatMap { panel in
            try (panel.targets ?? []).map { target in
                Query(panel: panel.title, expr: try replaced(target.expr, by: replacements, in: panel.title))
            }
        }
    }

    /// What the variables are filled from, each with all chosen in those before it.
    ///
    /// - Throws: ``Failure`` for a query that is not `label_values(selector, label)`, and for a `$` that is left.
    func labelQueries() throws -> [LabelQuery] {
        try variables.compactMap { variable in
            guard let query = variable.query else { return nil }
            let text = try replaced(query, by: allValues, in: variable.name)
            guard let parts = text.wholeMatch(of: /label_values\((.+), (\w+)\)/) else {
                throw Failure(description: "\(variable.name): not label_values(selector, label): \(text)")
            }
            return LabelQuery(variable: variable.name, selector: String(parts.1), label: String(parts.2))
        }
    }

    /// What each variable stands for when all is chosen.
    private var allValues: [String: String] {
        Dictionary(uniqueKeysWithValues: variables.map { ($0.name, $0.allValue ?? "") })
    }

    private func replaced(_ text: String, by values: [String: String], in place: String) throws -> String {
        var text = text
        // The longest first, so that `$job` does not eat the beginning of `$job_name`.
        for (name, value) in values.sorted(by: { ($1.key.count, $0.key) < ($0.key.count, $1.key) }) {
            text = text.replacingOccurrences(of: "${\(name)}", with: value)
            text = text.replacingOccurrences(of: "$\(name)", with: value)
        }
        guard !text.contains("$") else { throw Failure(description: "\(place): a $ is left in \(text)") }
        return text
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
                /// Of variables of the type `query`; others keep something else under this name.
                let query: String?

                init(from decoder: any Decoder) throws {
                    let fields = try decoder.container(keyedBy: Field.self)
                    name = try fields.decode(String.self, forKey: .name)
                    allValue = try fields.decodeIfPresent(String.self, forKey: .allValue)
                    let isQuery = try fields.decode(String.self, forKey: .type) == "query"
                    query = isQuery ? try fields.decode(Query.self, forKey: .query).query : nil
                }

                private enum Field: CodingKey { case name, type, allValue, query }
                private struct Query: Decodable { let query: String }
            }
            let list: [Variable]
        }
        let title: String
        let panels: [Panel]
        let templating: Templating
    }
}
