import Foundation
import HTTPPool

/// The state of a run at one time.
struct LiveSample: Sendable, Hashable {
    var elapsed: Duration
    var requests: UInt64
    var errors: UInt64
    var pools: PoolTotals
}

/// Formats the status line that is updated every second. It fits 80 columns unless the numbers are very large.
struct LiveLine: Sendable {
    private var last: (elapsed: Duration, requests: UInt64) = (.zero, 0)

    /// The line for a sample. The rate is relative to the previous sample.
    mutating func text(for sample: LiveSample) -> String {
        let seconds = (sample.elapsed - last.elapsed).inSeconds
        let rate = seconds > 0 ? Double(sample.requests - last.requests) / seconds : 0
        last = (sample.elapsed, sample.requests)
        let pools = sample.pools
        return String(format: "%4.0f s  %6.0f/s", sample.elapsed.inSeconds, rate)
            + "  in flight \(pools.inFlight)  queued \(pools.queued)"
            + "  active \(pools.active)  idle \(pools.idle)"
            + "  reuse \(Figures.ratio(pools.reuseRatio))  errors \(sample.errors)"
    }
}
