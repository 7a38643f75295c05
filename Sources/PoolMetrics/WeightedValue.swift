/// An entry of a list header with weights, such as `Accept` (RFC 9110, 12.4.2).
package struct WeightedValue: Sendable, Hashable {
    /// In lower case.
    package let value: String
    /// By names in lower case, without `q`.
    package let parameters: [String: String]
    /// From 0, not acceptable, to 1. A weight that is not a number is 0, as in Prometheus' client library for Go.
    package let weight: Double

    /// How many entries are read, so that a long header costs little.
    static let maximum = 64

    /// The entries in the order of the header; those after the first 64 are ignored.
    package static func list(_ header: String) -> [WeightedValue] {
        header.split(separator: ",", maxSplits: maximum).prefix(maximum).compactMap(WeightedValue.init)
    }

    private init?(_ entry: Substring) {
        let parts = entry.split(separator: ";", maxSplits: Self.maximum).prefix(Self.maximum).map(\.trimmed)
        guard let value = parts.first, !value.isEmpty else { return nil }
        var parameters: [String: String] = [:]
        var weight = 1.0
        for part in parts.dropFirst() {
            guard let equals = part.firstIndex(of: "=") else { continue }
            let name = part[..<equals].trimmed.lowercased()
            let text = part[part.index(after: equals)...].trimmed
            if name == "q" {
                weight = Double(text).flatMap { $0.isFinite ? min(max($0, 0), 1) : nil } ?? 0
            } else {
                parameters[name] =
                    text.count > 1 && text.first == "\"" && text.last == "\""
                    ? String(text.dropFirst().dropLast()) : String(text)
            }
        }
        self.value = value.lowercased()
        self.parameters = parameters
        self.weight = weight
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        let start = drop(while: isBlank)
        return start.lastIndex { !isBlank($0) }.map { start[...$0] } ?? ""
    }
}
