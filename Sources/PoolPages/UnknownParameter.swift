/// A parameter of a query that its page does not have. A filter that is misspelt must not look like one that found everything.
package struct UnknownParameter: Error, Sendable, Hashable, CustomStringConvertible {
    /// Its name; `nil` where what stands in its place may be anything, such as a token without a name.
    package let name: String?
    /// The names of those that the page has.
    package let known: [String]

    /// `this page has no parameter min-age; it has: format, limit, min_age, origin, pool, site`. It repeats no value.
    package var description: String {
        "this page has no \(name.map { "parameter \($0)" } ?? "such parameter"); it has: \(known.joined(separator: ", "))"
    }

    /// Looks for the first one.
    ///
    /// - Parameters:
    ///   - target: the target of a request, or its query with the question mark.
    ///   - known: the names of the parameters that the page has.
    /// - Returns: `nil` if the page has all of them.
    package init?(in target: some StringProtocol, known: [String]) {
        guard let mark = target.firstIndex(of: "?") else { return nil }
        for pair in target[target.index(after: mark)...].split(separator: "&") {
            let name = pair.prefix { $0 != "=" }
            if known.contains(String(name)) { continue }
            self.known = known
            self.name = pair.contains("=") && Self.isPlain(name) ? String(name) : nil
            return
        }
        return nil
    }

    /// Whether it looks like a name that a person writes.
    private static func isPlain(_ name: some StringProtocol) -> Bool {
        (1...32).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
