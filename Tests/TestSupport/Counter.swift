import Synchronization

/// A counter that several threads can hold.
package final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    package init() {}

    package var value: Int { count.load(ordering: .relaxed) }
    package func add(_ more: Int) { count.add(more, ordering: .relaxed) }

    /// Waits until it has counted something, and nothing more for a fifth of a second: until a peer that counts what it
    /// sends cannot send any more.
    package func becomesSteady() async throws {
        var (last, since) = (0, ContinuousClock.now)
        try await eventually("the count stays the same; it is \(last)") {
            let now = value
            if now != last { (last, since) = (now, .now) }
            return now > 0 && since.duration(to: .now) > .milliseconds(200)
        }
    }
}
