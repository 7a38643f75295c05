#if ConfigurationFiles
public import Configuration
private import Foundation

/// A strictly parsed JSON settings file.
///
/// Use it in place of swift-configuration's `JSONSnapshot`:
///
/// ```swift
/// let file = try await ReloadingFileProvider<SettingsSnapshot>(filePath: "/etc/catalog/pool.json")
/// ```
///
/// It returns the same values, but also reports values that are neither text nor a number. So `"proxy": {}`,
/// `"maxQueued": null` and `"maxConnections": true` are configuration errors instead of being ignored, ignored, and
/// read as 1.
public struct SettingsSnapshot: FileConfigSnapshot {
    /// How byte values are decoded and which values are secret.
    public typealias ParsingOptions = JSONSnapshot.ParsingOptions

    private let values: JSONSnapshot
    /// The keys of settings, and whether their value is text or a number.
    private let shapes: [String: Bool]

    /// The name of the provider.
    public var providerName: String { values.providerName }
    /// The number of values.
    public var description: String { values.description }
    /// The values, without secrets.
    public var debugDescription: String { values.debugDescription }

    /// Parses a file.
    ///
    /// - Throws: the errors of `JSONSnapshot` if it is not a JSON object.
    public init(data: RawSpan, providerName: String, parsingOptions: ParsingOptions) throws {
        values = try JSONSnapshot(data: data, providerName: providerName, parsingOptions: parsingOptions)
        let bytes = data.withUnsafeBytes { Data($0) }
        var shapes: [String: Bool] = [:]
        try JSONDecoder().decode(Shape.self, from: bytes).list(under: [], into: &shapes)
        self.shapes = shapes
    }

    /// The value of a key.
    ///
    /// - Throws: an error if the value has another type.
    public func value(forKey key: AbsoluteConfigKey, type: ConfigType) throws -> LookupResult {
        if shapes[key.description] == false { throw WrongShape() }
        return try values.value(forKey: key, type: type)
    }

    private struct WrongShape: Error {}
}

/// The type of a JSON value. Needed because `JSONSerialization` does not distinguish `true` from 1.
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

    /// Lists the keys under an `httpClient`; other keys are not ours. An empty object counts as a value.
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
