/// The families that a scraper asks for with `?name[]=family`, as with other Prometheus client libraries.
enum FamilyNames {
    /// The values of every `name[]` in the query of a request target; `nil` without one, which asks for all.
    ///
    /// Everything else in the query is ignored. The cost is linear in the length of the target, which the endpoint limits
    /// together with the head of the request.
    static func requested(by target: String) -> Set<String>? {
        guard let start = target.utf8.firstIndex(of: UInt8(ascii: "?")) else { return nil }
        let query = target[start...].utf8.dropFirst()
        var names: Set<String> = []
        var isAsked = false
        for pair in query.split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard decoded(parts[0]) == "name[]" else { continue }
            // A name that cannot be decoded is unknown like any other.
            isAsked = true
            if parts.count > 1, let name = decoded(parts[1]) { names.insert(name) }
        }
        return isAsked ? names : nil
    }

    /// The text without percent-encoding; `nil` if it is malformed or not UTF-8.
    private static func decoded(_ text: Substring.UTF8View) -> String? {
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
