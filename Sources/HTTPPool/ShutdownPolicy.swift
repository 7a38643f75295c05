/// How a pool is shut down.
public struct ShutdownPolicy: Sendable, Hashable {
    /// How queued requests are treated.
    public enum Queued: Sendable, Hashable {
        /// They fail at once.
        case fail
        /// They may still get a connection within the grace period.
        case finish
    }

    /// How queued requests are treated.
    public var queued: Queued = .fail
    /// The grace period for requests that have a connection or are getting one. They fail when it ends.
    public var grace: Duration = .seconds(10)

    /// Queued requests fail; running ones get 10 seconds.
    public init() {}

    /// Creates a policy from both values.
    public init(queued: Queued, grace: Duration) {
        self.queued = queued
        self.grace = grace
    }

    /// Ends all requests at once.
    public static let immediate = ShutdownPolicy(queued: .fail, grace: .zero)
}
