/// Finds the keys of a file or another provider that were meant as settings but are not in the group of settings,
/// such as `maxConnections` or `httpClients.maxConnections`.
///
/// The file may also hold keys of the service. So a key is an error only if it can hardly mean anything else; a key
/// that may be the service's own is a warning.
struct MisplacedKeys {
    /// A name that is not a setting, and the one that was probably meant.
    struct Finding: Hashable {
        let name: String
        let nearest: String
    }

    /// What was found, by name.
    struct Findings {
        /// Keys that can hardly mean anything else.
        var certain: [Finding] = []
        /// Keys that may be the service's own.
        var doubtful: [Finding] = []

        /// Whether a name is one of them, or in a group that is.
        func cover(_ name: String) -> Bool {
            (certain + doubtful).contains { name == $0.name || name.hasPrefix($0.name + ".") }
        }
    }

    /// The full key of the group: `httpClient`, or `health.httpClient` for a scoped reader.
    private let group: String
    /// The last component of the group's key.
    private let groupName: String
    /// What precedes it: empty, or `health.`.
    private let prefix: String
    /// The keys of all settings.
    private let settings: [String]

    /// Shorter keys are compared exactly: `http` and `http2` differ by one letter.
    private static let leastLength = 8

    init(group: String, settings: [String]) {
        self.group = group
        self.settings = settings
        let parts = group.split(separator: ".", omittingEmptySubsequences: false)
        groupName = String(parts.last ?? "")
        prefix = String(group.dropLast(groupName.count))
    }

    /// Sorts out the names outside of the group.
    ///
    /// - Parameters:
    ///   - names: full keys.
    ///   - hasGroup: whether the provider has the group as well. An ambiguous key is then taken for the service's.
    func find(among names: some Collection<String>, hasGroup: Bool) -> Findings {
        var certain: Set<Finding> = []
        var doubtful: Set<Finding> = []
        for (first, rests) in groups(of: names) {
            let name = prefix + first
            if rests.contains(nil), let setting = setting(for: first) {
                let isOurs = setting.isExact && setting.isDistinctive
                let finding = Finding(name: name, nearest: "\(group).\(setting.key)")
                if isOurs || !hasGroup { certain.insert(finding) } else { doubtful.insert(finding) }
                continue
            }
            let edits = first.plain.edits(to: groupName.plain)
            let holdsSettings = rests.contains { $0.map { setting(for: $0) != nil } ?? false }
            switch edits {
            case 0: certain.insert(Finding(name: name, nearest: group))
            case 1 where holdsSettings || !hasGroup: certain.insert(Finding(name: name, nearest: group))
            case 2 where holdsSettings: doubtful.insert(Finding(name: name, nearest: group))
            default: break
            }
        }
        let sorted = { (findings: Set<Finding>) in findings.sorted { $0.name < $1.name } }
        return Findings(certain: sorted(certain), doubtful: sorted(doubtful))
    }

    /// The first component of each name, with what follows it up to the next dot; `nil` if nothing does.
    private func groups(of names: some Collection<String>) -> [String: Set<String?>] {
        var groups: [String: Set<String?>] = [:]
        for name in names where name.hasPrefix(prefix) {
            let parts = name.dropFirst(prefix.count).split(separator: ".", maxSplits: 2)
            guard let first = parts.first, first != groupName else { continue }
            groups[String(first), default: []].insert(parts.count > 1 ? String(parts[1]) : nil)
        }
        return groups
    }

    /// The setting that a key is, or is similar to.
    private func setting(for key: String) -> (key: String, isExact: Bool, isDistinctive: Bool)? {
        if let exact = settings.first(where: { $0.plain == key.plain }) {
            // `timeout` and `proxy` are also what a service would call settings of its own.
            return (exact, true, exact.contains { $0.isUppercase })
        }
        guard key.count >= Self.leastLength else { return nil }
        let near = settings.filter { $0.count >= Self.leastLength }.map { ($0, key.plain.edits(to: $0.plain)) }
        guard let best = near.min(by: { $0.1 < $1.1 }), best.1 <= 2 else { return nil }
        return (best.0, false, true)
    }
}

extension String {
    /// In lower case without separators: `http_client` and `HTTP-Client` are `httpclient`.
    fileprivate var plain: String { lowercased().filter { $0 != "_" && $0 != "-" && $0 != " " } }
}
