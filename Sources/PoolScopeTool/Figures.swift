import Foundation

/// Formats numbers for display.
enum Figures {
    /// Such as `0.987`; `-` for `nil`. Rounded down, so that 1.000 means that no connection was opened.
    static func ratio(_ ratio: Double?) -> String {
        ratio.map { String(format: "%.3f", ($0 * 1000).rounded(.down) / 1000) } ?? "-"
    }

    /// Such as `12`; `-` for `nil`.
    static func count(_ count: Int?) -> String { count.map { "\($0)" } ?? "-" }

    /// Such as `1.234 ms`.
    static func milliseconds(_ nanoseconds: UInt64) -> String {
        String(format: "%.3f ms", Double(nanoseconds) / 1e6)
    }

    /// Such as `12.3 s`.
    static func seconds(_ seconds: Double) -> String { String(format: "%.1f s", seconds) }

    /// Such as `5231.4`.
    static func rate(_ rate: Double) -> String { String(format: "%.1f", rate) }

    /// Such as `12 ms`, `4.9 s`, `4 min 10 s`, `2 h 20 min`, `6 d`; `-` for `nil`.
    static func duration(_ seconds: Double?) -> String {
        guard let seconds, seconds.isFinite, seconds >= 0 else { return "-" }
        switch seconds {
        case ..<0.9995: return "\(Int((seconds * 1000).rounded())) ms"
        case ..<59.95: return String(format: "%.1f s", seconds)
        case ..<3600: return parts(Int(seconds), 60, "min", "s")
        case ..<86_400: return parts(Int(seconds) / 60, 60, "h", "min")
        default: return "\(Int(min(seconds, 1e15)) / 86_400) d"
        }
    }

    /// Such as `12 s`, `4 min 10 s`.
    static func wholeSeconds(_ seconds: Double) -> String {
        let whole = max(0, min(seconds, 1e15)).rounded(.down)
        return whole < 60 ? "\(Int(whole)) s" : duration(whole)
    }

    private static func parts(_ value: Int, _ base: Int, _ large: String, _ small: String) -> String {
        "\(value / base) \(large)" + (value % base == 0 ? "" : " \(value % base) \(small)")
    }
}
