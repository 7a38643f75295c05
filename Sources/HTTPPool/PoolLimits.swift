/// The limits of a pool: connections, waiting requests, and the lifetime of idle connections.
///
/// The semantics are those of Python's httpx, and the names of the environment variables follow it.
public struct PoolLimits: Sendable, Hashable {
    /// Maximum number of connections over all origins: connecting, active and idle together. At least 1.
    public var maxConnections: Int = 200
    /// Maximum number of connections per origin; `nil` means no separate limit.
    public var maxConnectionsPerOrigin: Int?
    /// Maximum number of idle connections; surplus ones are closed at once, the longest idle first. 0 keeps none.
    /// At most ``maxConnections``: if not set, it is lowered along with it.
    public var maxIdleConnections: Int = PoolLimits.defaultMaxIdleConnections
    /// Maximum number of requests waiting for a connection; further ones fail at once. `nil` means no limit.
    public var maxQueuedRequests: Int?
    /// Which origin with waiting requests is served next.
    public var queueOrder = QueueOrder.fair
    /// How long an idle connection is kept. Zero keeps none, `nil` keeps it indefinitely.
    public var keepaliveExpiry: Duration? = .seconds(30)
    /// The maximum age of a connection; an older one is closed as soon as it is idle. `nil` means no limit.
    public var maxConnectionLifetime: Duration?

    static let defaultMaxIdleConnections = 100

    /// The defaults: 200 connections, 100 idle, 30 seconds of keep-alive, a fair queue, no other limit.
    public init() {}
}
