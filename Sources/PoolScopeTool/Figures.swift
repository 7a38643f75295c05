import Foundation

/// Formats numbers for display.
enum Figures {
    /// Such as `0.987`; `-` for `nil`. Rounded down, so that 1.000 means that no connection was opened.
    static func ratio(_ ratio: Double?) -> String {
        ratio.map { String(format: "%.3f", ($0 * 1000).rounded(.down) / 1000) } ?? "-"
    }

    /// Such as `1.234 ms`.
    static func milliseconds(_ nanoseconds: UInt64) -> String {
        String(format: "%.3f ms", Double(nanoseconds) / 1e6)
    }

    /// Such as `12.3 s`.
    static func seconds(_ seconds: Double) -> String { String(format: "%.1f s", seconds) }

    /// Such as `5231.4`.
    static func rate(_ rate: Double) -> String { String(format: "%.1f", rate) }
}
