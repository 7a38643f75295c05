import Foundation
import TestSupport

/// Renders the JSON schema of the pages as tables of keys.
enum SchemaTables {
    private struct Schema: Decodable {
        var description: String?
        var type: OneOrMany?
        var const: Constant?
        var `enum`: [String?]?
        var properties: [String: Schema]?
        var required: [String]?
        var items: Box?
        var reference: String?
        var definitions: [String: Schema]?

        private enum CodingKeys: String, CodingKey {
            case description, type, const, `enum`, properties, required, items
            case reference = "$ref"
            case definitions = "$defs"
        }

        /// The type in words.
        var words: String {
            if let const { return "`\(const.text)`" }
            if let reference { return "[\(Self.name(reference))]" }
            if let items { return "array of \(items.schema.words)" }
            let types = type?.values.filter { $0 != "null" } ?? []
            return (types + (type?.values.contains("null") == true ? ["null"] : [])).joined(separator: " or ")
        }

        static func name(_ reference: String) -> String { String(reference.split(separator: "/").last ?? "") }
    }

    private final class Box: Decodable {
        let schema: Schema
        init(from decoder: any Decoder) throws { schema = try Schema(from: decoder) }
    }

    private struct OneOrMany: Decodable {
        let values: [String]
        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            values = try (try? container.decode([String].self)) ?? [container.decode(String.self)]
        }
    }

    private struct Constant: Decodable {
        let text: String
        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            text = try (try? container.decode(String.self)) ?? String(container.decode(Int.self))
        }
    }

    static func markdown() throws -> String {
        let schema = try JSONDecoder().decode(
            Schema.self,
            from: Data(contentsOf: URL(fileURLWithPath: PageSchema.path))
        )
        let definitions = schema.definitions ?? [:]
        let pages = ["status", "leases", "queue", "events", "config"]
        let names = pages + definitions.keys.sorted().filter { !pages.contains($0) }
        return names.compactMap { name in definitions[name].map { section(name, $0) } }.joined(separator: "\n\n")
    }

    private static func section(_ name: String, _ schema: Schema) -> String {
        let header = "## \(name)\n\n\(schema.description ?? "")\n\n| key | type | meaning |\n| --- | --- | --- |\n"
        return header + rows(schema, under: "").joined(separator: "\n")
    }

    private static func rows(_ schema: Schema, under path: String) -> [String] {
        let properties = schema.properties ?? [:]
        return (schema.required ?? properties.keys.sorted()).flatMap { key -> [String] in
            guard let value = properties[key] else { return [] }
            let words = value.enum.map { ": " + $0.compactMap(\.self).map { "`\($0)`" }.joined(separator: ", ") } ?? ""
            let row = "| `\(path)\(key)` | \(value.words) | \(value.description ?? "")\(words) |"
            return [row] + rows(value, under: "\(path)\(key).")
        }
    }
}
