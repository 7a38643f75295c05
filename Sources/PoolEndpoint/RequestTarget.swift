/// The target of a request (RFC 9112, 3.2).
struct RequestTarget: Sendable, Hashable {
    /// The path without percent-encoding; empty for the asterisk and for CONNECT.
    let path: String
    /// The query with its question mark, as it was sent; empty without one.
    let query: String
    /// Host and port of the absolute form, which then count instead of those in `Host`.
    let authority: String?

    init(_ target: String, method: String) throws(HeadFault) {
        if method == "CONNECT" || (method == "OPTIONS" && target == "*") {
            (path, query, authority) = ("", "", nil)
            return
        }
        var rest = target[...]
        if rest.first == "/" {
            authority = nil
        } else {
            // The scheme in any case.
            guard let scheme = rest.firstRange(of: "://"),
                ["http", "https"].contains(rest[..<scheme.lowerBound].lowercased())
            else { throw .bad("the request target is neither a path nor a URL of HTTP") }
            rest = rest[scheme.upperBound...]
            let end = rest.firstIndex { "/?".contains($0) } ?? rest.endIndex
            authority = String(rest[..<end])
            rest = rest[end...]
        }
        guard !rest.contains("#") else { throw .bad("the request target has a fragment") }
        let mark = rest.firstIndex(of: "?") ?? rest.endIndex
        query = String(rest[mark...])
        guard let decoded = PercentEncoding.decoded(rest[..<mark].utf8) else {
            throw .bad("the request target is not percent-encoded as it should be")
        }
        path = decoded.isEmpty ? "/" : decoded
    }
}

/// Percent-encoding (RFC 3986, 2.1).
enum PercentEncoding {
    /// The text without percent-encoding; `nil` if it is malformed or not UTF-8.
    static func decoded(_ text: Substring.UTF8View) -> String? {
        var bytes: [UInt8] = []
        var rest = text[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
