private import Glibc

/// Why a settings file cannot be used. It contains nothing of what the file holds.
public struct SettingsFileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The path of the file; `nil` if its provider does not report it.
    public let path: String?
    /// The problem: `no such file`, `it is not valid JSON: an error at line 3, column 12`.
    public let reason: String

    /// Creates an error.
    public init(path: String?, reason: String) {
        self.path = path
        self.reason = reason
    }

    /// One line: `settings file /etc/catalog/pool.json: no such file`.
    public var description: String { "settings file\(path.map { " \($0)" } ?? ""): \(reason)" }

    /// Describes the error of a file provider of swift-configuration; `nil` if it is another error.
    ///
    /// The types of these errors are not public, so they are recognised by their names and texts.
    ///
    /// - Parameters:
    ///   - path: the path of the file, if it is known.
    ///   - contents: the contents of the file, if they are known, to convert an offset into a line.
    package init?(_ error: any Error, path: String? = nil, contents: [UInt8]? = nil) {
        if let known = error as? SettingsFileError {
            self.init(path: path ?? known.path, reason: known.reason)
            return
        }
        let text = "\(error)"
        switch String(reflecting: type(of: error)) {
        case "Configuration.FileSystemError":
            guard let reading = Self.reading(text) else { return nil }
            self.init(path: path ?? reading.path, reason: reading.reason)
        case "Configuration.JSONSnapshot.JSONConfigError":
            self.init(path: path, reason: text.hasPrefix("The top-level") ? "it is not a JSON object" : text)
        default:
            // NSPropertyListReadCorruptError, which JSONSerialization throws.
            guard text.contains("NSCocoaErrorDomain"), text.contains("Code=3840") else { return nil }
            self.init(path: path, reason: Self.fault(text, contents))
        }
    }

    /// The path and the reason in the text of a `FileSystemError`.
    private static func reading(_ text: String) -> (path: String, reason: String)? {
        if let missing = text.wholeMatch(of: /File not found at path: (.*)\./) {
            return (String(missing.1), "no such file")
        }
        guard let unread = text.firstMatch(of: /Failed to read file '([^']*)':/) else { return nil }
        let code = text.firstMatch(of: /NSPOSIXErrorDomain Code=([0-9]+)/).flatMap { Int32($0.1) }
        return (String(unread.1), "it cannot be read" + (code.map { ": \(String(cString: strerror($0)))" } ?? ""))
    }

    /// The syntax error. The parser's own words may repeat a part of the file.
    private static func fault(_ text: String, _ contents: [UInt8]?) -> String {
        let words = "it is not valid JSON"
        if contents?.isEmpty == true { return "\(words): it is empty" }
        if let place = text.firstMatch(of: /around (line [0-9]+, column [0-9]+)/) {
            return "\(words): an error at \(place.1)"
        }
        if let place = text.firstMatch(of: /around character ([0-9]+)/), let offset = Int(place.1) {
            guard let contents, offset <= contents.count else { return "\(words): an error at character \(offset)" }
            let before = contents[..<offset]
            let line = before.count { $0 == UInt8(ascii: "\n") } + 1
            let column = before.count - (before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0) + 1
            return "\(words): an error at line \(line), column \(column)"
        }
        return text.contains("Unexpected end of file") ? "\(words): it ends too early" : words
    }
}
