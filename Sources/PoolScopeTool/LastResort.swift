import Dispatch

/// Ends the process if shutting down takes too long.
enum LastResort {
    /// - Parameters:
    ///   - delay: the time allowed.
    ///   - end: called after the delay, on a Dispatch thread.
    static func arm(after delay: Duration, _ end: @escaping @Sendable () -> Void) {
        let nanoseconds = delay.components.seconds * 1_000_000_000 + delay.components.attoseconds / 1_000_000_000
        DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(Int(clamping: nanoseconds)), execute: end)
    }
}
