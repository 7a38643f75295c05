import Dispatch

/// Ends the process when something does not end by itself.
enum LastResort {
    /// - Parameters:
    ///   - delay: how long everything has.
    ///   - end: called after that, on a thread of Dispatch. It does not return to anything.
    static func arm(after delay: Duration, _ end: @escaping @Sendable () -> Void) {
        let nanoseconds = delay.components.seconds * 1_000_000_000 + delay.components.attoseconds / 1_000_000_000
        DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(Int(clamping: nanoseconds)), execute: end)
    }
}
