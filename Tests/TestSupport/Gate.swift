import Dispatch
import Synchronization

/// Holds a server's answers back until the test lets them go.
package final class Gate: Sendable {
    private let permits = DispatchSemaphore(value: 0)
    private let isOpen = Mutex(false)

    package init() {}

    /// Lets so many through, of those that wait or are to come.
    package func letThrough(_ count: Int = 1) { for _ in 0..<count { permits.signal() } }

    /// Lets everybody through from now on.
    package func open() {
        isOpen.withLock { $0 = true }
        permits.signal()
    }

    /// Blocks for a twentieth of a second, or until it is let through: the pause of a peer that sends a little at a time.
    package func waitBriefly() { _ = permits.wait(timeout: .now() + .milliseconds(50)) }

    /// Blocks until it is let through.
    ///
    /// - Throws: ``TestFailure`` after a minute, so that a forgotten gate ends what waits at it and lets nothing through.
    package func wait() throws {
        guard permits.wait(timeout: .now() + .seconds(60)) == .success else {
            throw TestFailure("a gate was not opened within a minute")
        }
        if isOpen.withLock({ $0 }) { permits.signal() }
    }
}
