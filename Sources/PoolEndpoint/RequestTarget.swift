import PoolPages

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
