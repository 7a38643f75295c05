/// A parsed URI reference (RFC 3986, 4.1). The fragment is dropped, because it is never sent.
package struct URIReference: Sendable, Hashable {
    /// The scheme as written; `nil` in a relative reference.
    package var scheme: String?
    /// Host, port and userinfo, if present. Not validated.
    package var authority: String?
    /// The path, with spaces and non-ASCII bytes percent-encoded.
    package var path: String
    /// The query without its question mark, encoded like the path.
    package var query: String?

    /// Parses a reference; `nil` if it is invalid.
    package init?(_ bytes: [UInt8]) {
        guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else { return nil }
        var rest = bytes.prefix { $0 != UInt8(ascii: "#") }
        let delimiters = [UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "?")]
        if let end = rest.firstIndex(where: delimiters.contains), rest[end] == UInt8(ascii: ":") {
            guard Self.isScheme(rest[..<end]) else { return nil }
            scheme = String(decoding: rest[..<end], as: UTF8.self)
            rest = rest[(end + 1)...]
        }
        if let mark = rest.firstIndex(of: UInt8(ascii: "?")) {
            query = Self.encoded(rest[(mark + 1)...])
            rest = rest[..<mark]
        }
        if rest.starts(with: "//".utf8) {
            rest = rest.dropFirst(2)
            let end = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
            guard let authority = String(validating: rest[..<end], as: UTF8.self) else { return nil }
            self.authority = authority
            rest = rest[end...]
        }
        path = Self.encoded(rest)
    }

    /// Creates a reference from the parts of a request, which has path and query in one string.
    package init(scheme: String?, authority: String?, target: String) {
        self.scheme = scheme
        self.authority = authority
        let bytes = target.utf8.prefix { $0 != UInt8(ascii: "#") }
        let end = bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.endIndex
        path = Self.encoded(bytes[..<end])
        if end < bytes.endIndex { query = Self.encoded(bytes[end...].dropFirst()) }
    }

    /// Path and query together.
    package var target: String { (path.isEmpty ? "/" : path) + (query.map { "?\($0)" } ?? "") }

    /// Resolves the reference against a base URI (RFC 3986, 5.2.2).
    package func resolved(against base: URIReference) -> URIReference {
        var target = self
        if scheme == nil {
            target.scheme = base.scheme
            if authority == nil {
                target.authority = base.authority
                if path.isEmpty {
                    target.path = base.path
                    target.query = query ?? base.query
                    return target
                }
                if !path.hasPrefix("/") {
                    let folder = base.path.lastIndex(of: "/").map { base.path[...$0] } ?? "/"
                    target.path = folder + path
                }
            }
        }
        target.path = Self.withoutDots(target.path)
        return target
    }

    /// Removes dot segments from an absolute path (RFC 3986, 5.2.4).
    private static func withoutDots(_ path: String) -> String {
        guard path.hasPrefix("/") else { return path }
        var kept: [Substring] = []
        let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            guard segment == "." || segment == ".." else {
                kept.append(segment)
                continue
            }
            if segment == ".." { _ = kept.popLast() }
            // A trailing dot segment leaves a trailing slash.
            if index == segments.count - 1 { kept.append("") }
        }
        return "/" + kept.joined(separator: "/")
    }

    private static func isScheme(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let first = bytes.first, isLetter(first) else { return false }
        return bytes.allSatisfy { byte in
            isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    /// Percent-encodes spaces and non-ASCII bytes, which servers put into `Location` but a request line must not
    /// contain. Existing escapes are kept.
    private static func encoded(_ bytes: some Collection<UInt8>) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            if byte > 0x20 && byte < 0x7f {
                text.append(byte)
            } else {
                text += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 0xf)]]
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
