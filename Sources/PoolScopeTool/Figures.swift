import Foundation

/// How numbers are written for people.
enum Figures {
    /// `0.987`; `-` where there is none. Rounded down, so that 1.000 means that nothing was opened at all.
    static func ratio(_ ratio: Double?) -> String {
        ratio.map { String(format: "%.3f", ($0 * 1000).rounded(.down) / 1000) } ?? "-"
    }

    /// `1.234 ms`.
    static func milliseconds(_ nanoseconds: UInt64) -> String {
        String(format: "%.3f ms", Double(nanoseconds) / 1e6)
    }

    /// `12.3 s`.
    static func seconds(_ seconds: Double) -> String { String(format: "%.1f s", seconds) }

    /// `5231.4`.
    static func rate(_ rate: Double) -> String { String(format: "%.1f", rate) }
}
