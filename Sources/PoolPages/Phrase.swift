import HTTPPool
import PoolMetrics

/// Numbers in the words of the pages.
enum Phrase {
    /// `12 ms`, `4.9 s`, `4 min 10 s`, `2 h 20 min`, `6 d`.
    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0 else { return "-" }
        switch seconds {
        case ..<0.9995: return "\(Int((seconds * 1000).rounded())) ms"
        case ..<59.95:
            let tenths = Int((seconds * 10).rounded())
            return "\(tenths / 10).\(tenths % 10) s"
        case ..<3600:
            let whole = Int(seconds)
            return whole % 60 == 0 ? "\(whole / 60) min" : "\(whole / 60) min \(whole % 60) s"
        case ..<86_400:
            let minutes = Int(seconds) / 60
            return minutes % 60 == 0 ? "\(minutes / 60) h" : "\(minutes / 60) h \(minutes % 60) min"
        default: return "\(Int(min(seconds, 1e15)) / 86_400) d"
        }
    }

    /// The time that the recent counts of a pool cover: `64 s`.
    static func recentSeconds(_ report: PoolReport) -> String { "\(max(1, Int(report.recentSeconds.rounded()))) s" }

    /// A count with thousands separated by commas.
    static func count(_ value: some BinaryInteger) -> String {
        let digits = String(value.magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return value < 0 ? "-" + text : text
    }

    /// A count with its noun: `1 request`, `59 requests`.
    static func count(_ value: some BinaryInteger, _ noun: String, plural: String? = nil) -> String {
        "\(count(value)) \(value == 1 ? noun : plural ?? noun + "s")"
    }

    /// A rate per second: `12.0`, `<0.1`.
    static func rate(_ value: Double) -> String {
        guard value.isFinite else { return "-" }
        if value > 0, value < 0.05 { return "<0.1" }
        let tenths = Int((max(0, min(value, 1e12)) * 10).rounded())
        return "\(count(tenths / 10)).\(tenths % 10)"
    }

    /// A share as a percentage with one decimal place, cut and never rounded up to 100 %.
    static func share(_ value: Double) -> String {
        let tenths = Int(max(0, min(value, 1)) * 1000)
        return "\(tenths / 10).\(tenths % 10) %"
    }

    /// `and` between the last two of a list.
    static func list(_ items: [String]) -> String {
        guard let last = items.last, items.count > 1 else { return items.first ?? "" }
        return items.dropLast().joined(separator: ", ") + " and " + last
    }

    /// A call site in quotation marks.
    static func site(_ name: String) -> String { "\"\(name)\"" }
}
