/// An event in a pool. It consists of plain values: copying one neither allocates nor retains.
public struct PoolEvent: Sendable, Hashable {
    /// What happened. All durations are nanoseconds.
    @nonexhaustive
    public enum Kind: Sendable, Hashable {
        /// An acquisition ended with a ready connection. `waited`: since submission. `queued`: the part of it spent
        /// waiting for a slot, without DNS, TCP and TLS.
        case acquired(AcquireKind, waited: UInt64, queued: UInt64)
        /// An acquisition ended without one. `waited`: since submission.
        case acquireFailed(AcquireFailure, waited: UInt64)
        /// A request had to queue because of this limit.
        case queued(behind: PoolLimit)
        /// A connection became usable, `took` after the decision to open it.
        case connectionOpened(took: UInt64)
        /// A connection never became usable.
        case connectFailed(ConnectFailure, took: UInt64)
        /// A connection that was usable is closed: how long it lived, and how many requests it served.
        case connectionClosed(CloseReason, lifetime: UInt64, requests: UInt32)
        /// A request gave its connection back, or lost it. `held`: since it was acquired.
        case leaseEnded(CallSite, held: UInt64)
        /// A request whose reused connection was dead was submitted once more.
        case staleRetry
    }

    /// What happened.
    public let kind: Kind
    /// The origin to which it happened.
    public let origin: OriginID
    // 0 stands for none, which keeps an event small.
    private let requestValue: UInt64
    private let connectionValue: UInt64

    /// The request to which it happened; `nil` for what happens to a connection alone, or where the pool does not number them.
    public var request: RequestNumber? { requestValue == 0 ? nil : RequestNumber(requestValue) }

    /// The connection on which it happened; `nil` if it has no connection, or if the pool does not number them.
    public var connection: ConnectionNumber? { connectionValue == 0 ? nil : ConnectionNumber(connectionValue) }

    /// Describes an event.
    ///
    /// - Parameters:
    ///   - kind: what happened.
    ///   - origin: the origin to which it happened.
    ///   - request: the request to which it happened, if any.
    ///   - connection: the connection on which it happened, if any.
    public init(
        _ kind: Kind,
        _ origin: OriginID,
        request: RequestNumber? = nil,
        connection: ConnectionNumber? = nil
    ) {
        self.kind = kind
        self.origin = origin
        requestValue = request?.value ?? 0
        connectionValue = connection?.value ?? 0
    }

    /// Describes an event by bare numbers; 0 stands for no request and no connection.
    package init(_ kind: Kind, _ origin: OriginID, requestValue: UInt64, connectionValue: UInt64) {
        self.kind = kind
        self.origin = origin
        self.requestValue = requestValue
        self.connectionValue = connectionValue
    }
}

/// A pool's number for an origin. It is valid from the turn that introduces it (see ``PoolTurn/newOrigins``) until
/// a turn assigns the number to another origin.
public struct OriginID: Sendable, Hashable {
    /// The index: small, and reused.
    public let index: Int32

    /// Creates an identifier from its index.
    public init(index: Int32) { self.index = index }
}

/// How a connection was acquired: the `kind` label.
@nonexhaustive
public enum AcquireKind: String, Sendable, Hashable, CaseIterable {
    /// Opened for this request.
    case new
    /// Taken from the idle connections.
    case reused
    /// Shared with other requests in flight (HTTP/2).
    case multiplexed
}

/// Why a request failed to acquire a connection: the `reason` label.
@nonexhaustive
public enum AcquireFailure: String, Sendable, Hashable, CaseIterable {
    /// The acquire timeout, or the total timeout before a connection was ready.
    case timeout
    /// The caller cancelled the request.
    case cancelled
    /// The wait queue was full.
    case rejected
    /// The connection opened for it failed.
    case connectFailed = "connect_failed"
    /// The pool is shutting down.
    case shutdown
}

/// Why a connection failed to open: the `reason` label.
@nonexhaustive
public enum ConnectFailure: String, Sendable, Hashable, CaseIterable {
    /// The host name could not be resolved.
    case dns
    /// The peer refused the connection.
    case refused
    /// The connect timeout, or the total timeout while connecting.
    case timeout
    /// The TLS handshake failed.
    case tls
    /// The process was out of file descriptors.
    case noDescriptor = "no_descriptor"
    /// The request that it was opened for was cancelled.
    case cancelled
    /// Any other error, such as an unreachable network.
    case other
}

/// Why a usable connection was closed: the `reason` label.
@nonexhaustive
public enum CloseReason: String, Sendable, Hashable, CaseIterable {
    /// It was idle for the keep-alive expiry.
    case idleExpired = "idle_expired"
    /// The number of idle connections exceeded its limit.
    case idleSurplus = "idle_surplus"
    /// It was closed to make room for a connection to another origin, or to free a file descriptor for another
    /// connection.
    case evicted
    /// It reached the lifetime limit.
    case maxLifetime = "max_lifetime"
    /// The peer closed it.
    case peerClosed = "peer_closed"
    /// The peer sent bytes while the connection was idle. Over TLS 1.3 this may be a session ticket or a key
    /// update, which cannot be distinguished from data without reading; the connection is closed in either case.
    case unexpectedData = "unexpected_data"
    /// A stream timed out and the connection received nothing since: the peer is gone without closing it.
    case unresponsive
    /// The response required it (`Connection: close`, HTTP/1.0, or a body delimited by the close).
    case responseClose = "response_close"
    /// Its request was cancelled before the exchange was complete.
    case requestCancelled = "request_cancelled"
    /// Its request timed out.
    case requestTimeout = "request_timeout"
    /// The exchange failed.
    case error
    /// The pool shut down.
    case shutdown
}

/// A limit that can make a request wait: the `limit` label.
@nonexhaustive
public enum PoolLimit: String, Sendable, Hashable, CaseIterable {
    /// ``PoolLimits/maxConnections``.
    case connections
    /// ``PoolLimits/maxConnectionsPerOrigin``.
    case connectionsPerOrigin = "connections_per_origin"
}
