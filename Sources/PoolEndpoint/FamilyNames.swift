import PoolPages

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
            guard PercentEncoding.decoded(parts[0]) == "name[]" else { continue }
            // A name that cannot be decoded is unknown like any other.
            isAsked = true
            if parts.count > 1, let name = PercentEncoding.decoded(parts[1]) { names.insert(name) }
        }
        return isAsked ? names : nil
    }
}
