/// The value of a setting, as metrics and people read it. It holds no secret.
@nonexhaustive
public enum SettingValue: Sendable, Hashable, CustomStringConvertible {
    /// So many connections or requests; `nil` is no limit.
    case count(Int?)
    /// So long; `nil` is no limit.
    case duration(Duration?)
    /// A word, a path, an address.
    case text(String)

    /// As a metric shows it: a count, or seconds; infinity where there is no limit, NaN for what is not a number.
    public var asDouble: Double {
        switch self {
        case .count(let count): count.map { Double($0) } ?? .infinity
        case .duration(let duration): duration.map(\.inSeconds) ?? .infinity
        case .text: .nan
        }
    }

    /// As a person reads it: `200`, `30.0 s`, `none`, `fair`.
    public var description: String {
        switch self {
        case .count(let count): count.map { String($0) } ?? "none"
        case .duration(let duration): duration.map { "\($0.inSeconds) s" } ?? "none"
        case .text(let text): text
        }
    }

    /// As a variable says it: `30` for thirty seconds.
    var word: String {
        guard case .duration(let duration?) = self else { return description }
        let (seconds, fraction) = duration.components
        return fraction == 0 ? String(seconds) : String(duration.inSeconds)
    }
}
