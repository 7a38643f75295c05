/// Requests that a turn took from those handed in before: how many, and when they were submitted.
///
/// Until a turn reports them they count as queued, and with this sum their waiting is known exactly.
public struct TakenRequests: Sendable, Hashable {
    /// How many.
    public private(set) var count = 0
    /// The sum of the times of submission, in nanoseconds of the pool's clock. It may overflow; only differences matter.
    private var submitted: UInt64 = 0

    /// None.
    public init() {}

    /// Adds a request that was submitted at the given time, which is not after the turn's.
    public mutating func add(submittedAt time: MonotonicTime) {
        count &+= 1
        submitted &+= time.nanoseconds
    }

    /// How long they had waited at `now` altogether, in nanoseconds. 0 for times after `now`.
    package func waited(until now: MonotonicTime) -> UInt64 {
        let waited = UInt64(truncatingIfNeeded: count) &* now.nanoseconds &- submitted
        return waited <= UInt64(Int64.max) ? waited : 0
    }
}
