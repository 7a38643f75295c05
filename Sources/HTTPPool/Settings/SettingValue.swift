/// The value of a setting, for metrics and display. It contains no secret.
@nonexhaustive
public enum SettingValue: Sendable, Hashable, CustomStringConvertible {
    /// A number of connections or requests; `nil` means no limit.
    case count(Int?)
    /// A duration; `nil` means no limit.
    case duration(Duration?)
    /// A word, a path or an address.
    case text(String)

    /// The value in metrics: a count, or seconds; infinity for no limit, NaN for text.
    public var asDouble: Double {
        switch self {
        case .count(let count): count.map { Double($0) } ?? .infinity
        case .duration(let duration): duration.map(\.inSeconds) ?? .infinity
        case .text: .nan
        }
    }

    /// The value for display: `200`, `30.0 s`, `none`, `fair`.
    public var description: String {
        switch self {
        case .count(let count): count.map { String($0) } ?? "none"
        case .duration(let duration): duration.map { "\($0.inSeconds) s" } ?? "none"
        case .text(let text): text
        }
    }

    /// The value as a variable spells it: `30` for 30 seconds.
    var word: String {
        guard case .duration(let duration?) = self else { return description }
        let (seconds, fraction) = duration.components
        return fraction == 0 ? String(seconds) : String(duration.inSeconds)
    }
}
