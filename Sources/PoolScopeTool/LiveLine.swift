import Foundation
import HTTPPool

/// The state of a run at one time.
struct LiveSample: Sendable, Hashable {
    var elapsed: Duration
    var requests: UInt64
    var errors: UInt64
    var pools: PoolTotals
}

/// Formats the status line that is updated every second.
struct LiveLine: Sendable {
    private var last: (elapsed: Duration, requests: UInt64) = (.zero, 0)

    /// The line for a sample. The rate is relative to the previous sample.
    ///
    /// - Parameter columns: the width of the terminal. What does not fit is left out, because a line that wraps cannot be
    ///   updated in place.
    mutating func text(for sample: LiveSample, columns: Int? = nil) -> String {
        let seconds = (sample.elapsed - last.elapsed).inSeconds
        let rate = seconds > 0 ? Double(sample.requests - last.requests) / seconds : 0
        last = (sample.elapsed, sample.requests)
        let pools = sample.pools
        var parts = [
            String(format: "%4.0f s", sample.elapsed.inSeconds), String(format: "%6.0f/s", rate),
            "in flight \(pools.inFlight)", "queued \(pools.queued)", "active \(pools.active)", "idle \(pools.idle)",
            "reuse \(Figures.ratio(pools.reuseRatio))", "errors \(sample.errors)",
        ]
        guard let columns else { return parts.joined(separator: "  ") }
        // The last column stays free: some terminals wrap when it is written.
        let room = max(0, columns - 1)
        // The first to go is what the others imply.
        for part in ["idle", "reuse", "active", "in flight", "queued"] where parts.joined(separator: "  ").count > room
        {
            parts.removeAll { $0.hasPrefix(part) }
        }
        return String(parts.joined(separator: "  ").prefix(room))
    }
}
