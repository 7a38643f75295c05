import FoundationEssentials

/// What a request must present in `Authorization`: one of several tokens or passwords.
///
/// A file has one on each line, so that two are valid while they are exchanged: `bearer TOKEN` or `basic USER:PASSWORD`.
/// Empty lines and lines that begin with `#` do not count.
struct Credentials: Sendable, Equatable {
    /// A fault of a file. It repeats nothing of the contents.
    enum Fault: Error, Equatable, CustomStringConvertible {
        case line(Int)
        case empty

        var description: String {
            switch self {
            case .line(let number): "line \(number) is neither 'bearer TOKEN' nor 'basic USER:PASSWORD'"
            case .empty: "it has no 'bearer TOKEN' and no 'basic USER:PASSWORD'"
            }
        }
    }

    private struct Entry: Sendable, Equatable {
        let scheme: String
        /// As a client sends it after the scheme.
        let value: [UInt8]
    }

    private let entries: [Entry]

    /// Parses the contents of a file.
    init(_ text: String) throws(Fault) {
        var entries: [Entry] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = line.drop(while: \.isWhitespace)
            guard !line.isEmpty, line.first != "#" else { continue }
            let words = line.split(maxSplits: 1, whereSeparator: \.isWhitespace)
            guard words.count == 2, let entry = Self.entry(words[0].lowercased(), words[1]) else {
                throw .line(index + 1)
            }
            entries.append(entry)
        }
        guard !entries.isEmpty else { throw .empty }
        self.entries = entries
    }

    private static func entry(_ scheme: String, _ rest: Substring) -> Entry? {
        switch scheme {
        case "bearer":
            let token = rest.split(whereSeparator: \.isWhitespace)
            guard token.count == 1, let token = token.first, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
            else { return nil }
            return Entry(scheme: scheme, value: Array(token.utf8))
        case "basic":
            guard let colon = rest.firstIndex(of: ":"), colon > rest.startIndex else { return nil }
            return Entry(scheme: scheme, value: Array(Data(rest.utf8).base64EncodedString().utf8))
        default: return nil
        }
    }

    /// The value of `Authorization` with the first of them.
    var header: String {
        entries.first.map {
            "\($0.scheme == "bearer" ? "Bearer" : "Basic") \(String(decoding: $0.value, as: UTF8.self))"
        } ?? ""
    }

    /// Whether the value of `Authorization` has one of them. How long that takes does not depend on how much of it is right.
    func accept(_ header: String) -> Bool {
        let words = header.split(separator: " ", maxSplits: 1)
        guard words.count == 2 else { return false }
        let (scheme, value) = (words[0].lowercased(), Array(words[1].utf8.drop { $0 == UInt8(ascii: " ") }))
        var isAccepted = false
        for entry in entries {
            let isEqual = Self.isEqual(entry.value, value)
            if entry.scheme == scheme, isEqual { isAccepted = true }
        }
        return isAccepted
    }

    private static func isEqual(_ secret: [UInt8], _ value: [UInt8]) -> Bool {
        var difference: UInt8 = secret.count == value.count ? 0 : 1
        for (index, byte) in value.enumerated() { difference |= byte ^ secret[index % secret.count] }
        return difference == 0
    }

    /// The challenges of a response to a request without them.
    static let challenges = ["Bearer realm=\"poolscope\"", "Basic realm=\"poolscope\", charset=\"UTF-8\""]
}
