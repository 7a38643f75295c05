/// What the query of a page asks for. Values that make no sense are ignored; a page refuses parameters that it does not have
/// before, see ``UnknownParameter``.
package struct PageQuery: Sendable, Hashable {
    /// The formats of a page.
    package enum Format: String, Sendable, Hashable {
        case text, html, json
    }

    /// `?format=`; `nil` leaves it to `Accept`.
    package var format: Format?
    /// `?origin=`, `?site=`, `?pool=`: a part of the name.
    package var origin: String?
    package var site: String?
    package var pool: String?
    /// `?min_age=`, in seconds.
    package var minAge = 0.0
    /// `?limit=`: the most lines.
    package var limit: Int?
    /// `?since=`: the greatest age, in seconds.
    package var since: Double?
    /// `?ascii=1`: charts in ASCII.
    package var isPlain = false

    package init() {}

    /// - Parameter target: the target of a request.
    package init(target: some StringProtocol) {
        guard let mark = target.firstIndex(of: "?") else { return }
        for pair in target[target.index(after: mark)...].split(separator: "&").prefix(32) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = parts.first, parts.count == 2 else { continue }
            guard let value = PercentEncoding.decoded(Substring(parts[1]).replacing("+", with: " ")[...].utf8)
            else { continue }
            read(String(name), value)
        }
    }

    private mutating func read(_ name: String, _ value: String) {
        // A form sends its empty fields, too.
        guard !value.isEmpty else { return }
        switch name {
        case "format": format = Format(rawValue: value)
        case "origin": origin = value
        case "site": site = value
        case "pool": pool = value
        case "min_age": minAge = Self.seconds(value) ?? 0
        case "limit": limit = Int(value).flatMap { $0 > 0 ? min($0, 1000) : nil }
        case "since": since = Self.seconds(value)
        case "ascii": isPlain = value != "0"
        default: break
        }
    }

    /// Seconds as a number, or with a unit: `90`, `90s`, `10min`, `2h`.
    private static func seconds(_ text: String) -> Double? {
        let units: [(String, Double)] = [("min", 60), ("m", 60), ("h", 3600), ("d", 86_400), ("s", 1)]
        for (unit, factor) in units where text.hasSuffix(unit) {
            return number(text.dropLast(unit.count)).map { $0 * factor }
        }
        return number(text[...])
    }

    private static func number(_ text: Substring) -> Double? {
        guard let value = Double(text), value.isFinite, value >= 0 else { return nil }
        return value
    }

    /// The parameters that leave requests out. Their values are not repeated.
    var filters: [String] {
        [
            (origin != nil, "origin"), (site != nil, "site"), (pool != nil, "pool"), (minAge > 0, "min_age"),
        ].compactMap { $0.0 ? $0.1 : nil }
    }

    /// ``filters`` as they are written: `?origin= ?site=`.
    var filterWords: String { filters.map { "?\($0)=" }.joined(separator: " ") }

    /// Whether a name is asked for.
    func accepts(pool: String, origin: String, site: String) -> Bool {
        (self.pool.map { pool.contains($0) } ?? true) && (self.origin.map { origin.contains($0) } ?? true)
            && (self.site.map { site.contains($0) } ?? true)
    }
}
