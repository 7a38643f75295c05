#if ConfigurationFiles
public import Configuration
private import Foundation

/// A JSON file of settings that is held to the letter.
///
/// Use it where swift-configuration's own `JSONSnapshot` would stand:
///
/// ```swift
/// let file = try await ReloadingFileProvider<SettingsSnapshot>(filePath: "/etc/catalog/pool.json")
/// ```
///
/// It gives the same values. But what is neither text nor a number is there too, so that `"proxy": {}`, `"maxQueued": null` and
/// `"maxConnections": true` are errors of the configuration rather than nothing, nothing, and 1.
public struct SettingsSnapshot: FileConfigSnapshot {
    /// How values are read that are bytes or secrets.
    public typealias ParsingOptions = JSONSnapshot.ParsingOptions

    private let values: JSONSnapshot
    /// The keys of settings, and whether they have text or a number.
    private let shapes: [String: Bool]

    /// The provider that has it.
    public var providerName: String { values.providerName }
    /// How many values it has.
    public var description: String { values.description }
    /// Its values, without those that are secrets.
    public var debugDescription: String { values.debugDescription }

    /// Reads a file.
    ///
    /// - Throws: what `JSONSnapshot` throws where it is not a JSON object.
    public init(data: RawSpan, providerName: String, parsingOptions: ParsingOptions) throws {
        values = try JSONSnapshot(data: data, providerName: providerName, parsingOptions: parsingOptions)
        let bytes = data.withUnsafeBytes { Data($0) }
        var shapes: [String: Bool] = [:]
        try JSONDecoder().decode(Shape.self, from: bytes).list(under: [], into: &shapes)
        self.shapes = shapes
    }

    /// The value of a key.
    ///
    /// - Throws: where it is of another type.
    public func value(forKey key: AbsoluteConfigKey, type: ConfigType) throws -> LookupResult {
        if shapes[key.description] == false { throw WrongShape() }
        return try values.value(forKey: key, type: type)
    }

    private struct WrongShape: Error {}
}

/// What stands in a JSON file. `JSONSerialization` does not tell `true` from 1.
private enum Shape: Decodable {
    case object([String: Shape])
    case list
    case textOrNumber
    case other

    init(from decoder: any Decoder) throws {
        if let object = try? decoder.singleValueContainer().decode([String: Shape].self) {
            self = .object(object)
            return
        }
        if (try? decoder.unkeyedContainer()) != nil {
            self = .list
            return
        }
        let container = try decoder.singleValueContainer()
        let isPlain = (try? container.decode(String.self)) != nil || (try? container.decode(Double.self)) != nil
        self = isPlain ? .textOrNumber : .other
    }

    /// Lists the keys under an `httpClient`, the others being no settings of ours. An object that is empty is a value.
    func list(under path: [String], into shapes: inout [String: Bool]) {
        if case .object(let members) = self, !members.isEmpty {
            for (name, member) in members { member.list(under: path + [name], into: &shapes) }
            return
        }
        guard path.contains("httpClient") else { return }
        if case .object = self, path.last == "httpClient" { return }
        shapes[path.joined(separator: ".")] = if case .textOrNumber = self { true } else { false }
    }
}
#endif
