/// How many connections and waiting requests a pool may hold, and for how long it keeps an idle connection.
///
/// The rules are those of Python's httpx, whose names of the variables the defaults share.
public struct PoolLimits: Sendable, Hashable {
    /// Connections that may exist at once over all origins: connecting, active and idle together. At least 1.
    public var maxConnections: Int = 200
    /// The same for a single origin; `nil` means no limit of its own.
    public var maxConnectionsPerOrigin: Int?
    /// Idle connections that are kept; a surplus one is closed at once, the longest idle first. 0 keeps none.
    /// Never above ``maxConnections``: the default follows it down.
    public var maxIdleConnections: Int = PoolLimits.defaultMaxIdleConnections
    /// Requests that may wait for a connection; the next one is refused at once. `nil` means no limit.
    public var maxQueuedRequests: Int?
    /// Whose turn it is among origins with waiting requests.
    public var queueOrder = QueueOrder.fair
    /// How long an idle connection is kept. Zero keeps none, `nil` keeps it for ever.
    public var keepaliveExpiry: Duration? = .seconds(30)
    /// How old a connection may grow; it is closed at its next idle moment. `nil` means no limit.
    public var maxConnectionLifetime: Duration?

    static let defaultMaxIdleConnections = 100

    /// The defaults: 200 connections, 100 idle, 30 seconds of keep-alive, a fair queue, no other limit.
    public init() {}
}
