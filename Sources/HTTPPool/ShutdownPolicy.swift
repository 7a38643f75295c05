/// How a pool is shut down.
public struct ShutdownPolicy: Sendable, Hashable {
    /// What becomes of requests that wait in the queue.
    public enum Queued: Sendable, Hashable {
        /// They fail at once.
        case fail
        /// They may still get a connection within the grace period.
        case finish
    }

    /// What becomes of requests that wait in the queue.
    public var queued: Queued = .fail
    /// How long requests that have a connection, or are getting one, may go on. Then they fail.
    public var grace: Duration = .seconds(10)

    /// Queued requests fail, running ones get ten seconds.
    public init() {}

    /// Says both.
    public init(queued: Queued, grace: Duration) {
        self.queued = queued
        self.grace = grace
    }

    /// Everything ends now.
    public static let immediate = ShutdownPolicy(queued: .fail, grace: .zero)
}
