#if ConfigurationFiles
public import Configuration
private import Foundation
public import HTTPPool
private import SystemPackage

/// A strictly parsed JSON settings file.
///
/// Use it in place of swift-configuration's `JSONSnapshot`:
///
/// ```swift
/// let file = try await SettingsSnapshot.follow("/etc/catalog/pool.json")
/// ```
///
/// It returns the same values, but also reports values that are neither text nor a number. So `"proxy": {}`,
/// `"maxQueued": null` and `"maxConnections": true` are configuration errors instead of being ignored, ignored, and
/// read as 1. It knows its keys, so that a misspelt or misplaced one is an error too.
public struct SettingsSnapshot: FileConfigSnapshot, SettingsFileSnapshot {
    /// How byte values are decoded and which values are secret.
    public typealias ParsingOptions = JSONSnapshot.ParsingOptions

    private let values: JSONSnapshot
    /// The keys of all values.
    package let keys: Set<String>
    /// The keys of all empty objects.
    package let emptyObjects: Set<String>
    /// The keys of settings whose value is neither text nor a number.
    private let wrongShapes: Set<String>

    /// The name of the provider.
    public var providerName: String { values.providerName }
    /// The number of values.
    public var description: String { values.description }
    /// The values, without secrets.
    public var debugDescription: String { values.debugDescription }

    /// Reads a settings file and follows its changes.
    ///
    /// - Parameter path: the path of the file, which must exist.
    /// - Throws: `SettingsFileError` if the file cannot be read or is not a JSON object.
    public static func follow(_ path: String) async throws -> ReloadingFileProvider<SettingsSnapshot> {
        do {
            return try await ReloadingFileProvider<SettingsSnapshot>(filePath: FilePath(path))
        } catch {
            throw SettingsFileError(error, path: path) ?? error
        }
    }

    /// Parses a file.
    ///
    /// - Throws: `SettingsFileError` if it is not a JSON object.
    public init(data: RawSpan, providerName: String, parsingOptions: ParsingOptions) throws {
        let bytes = data.withUnsafeBytes { Data($0) }
        do {
            values = try JSONSnapshot(data: data, providerName: providerName, parsingOptions: parsingOptions)
            var shapes = Shapes()
            try JSONDecoder().decode(Shape.self, from: bytes).list(under: [], into: &shapes)
            keys = shapes.values
            emptyObjects = shapes.emptyObjects
            wrongShapes = shapes.wrong
        } catch {
            throw SettingsFileError(error, contents: Array(bytes)) ?? error
        }
    }

    /// The value of a key.
    ///
    /// - Throws: an error if the value has another type.
    public func value(forKey key: AbsoluteConfigKey, type: ConfigType) throws -> LookupResult {
        if wrongShapes.contains(key.description) { throw WrongShape() }
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

    /// Lists the keys. The shapes matter only under an `httpClient`; other keys are not ours. There, an empty object
    /// counts as a value.
    func list(under path: [String], into shapes: inout Shapes) {
        if case .object(let members) = self, !members.isEmpty {
            for (name, member) in members { member.list(under: path + [name], into: &shapes) }
            return
        }
        let key = path.joined(separator: ".")
        if case .object = self {
            shapes.emptyObjects.insert(key)
            guard path.contains("httpClient"), path.last != "httpClient" else { return }
        }
        shapes.values.insert(key)
        if case .textOrNumber = self { return }
        if path.contains("httpClient") { shapes.wrong.insert(key) }
    }
}

/// The keys of a JSON object.
private struct Shapes {
    /// The keys of all values.
    var values: Set<String> = []
    var emptyObjects: Set<String> = []
    /// The keys under an `httpClient` whose value is neither text nor a number.
    var wrong: Set<String> = []
}
#endif
