/// Something that happened in a pool. Plain values only: copying an event allocates and retains nothing.
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

    /// The connection on which it happened; `nil` where there is none, or where the pool does not number them.
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

    /// Describes an event by bare numbers, of which 0 is none.
    package init(_ kind: Kind, _ origin: OriginID, requestValue: UInt64, connectionValue: UInt64) {
        self.kind = kind
        self.origin = origin
        self.requestValue = requestValue
        self.connectionValue = connectionValue
    }
}

/// The number under which a pool speaks of an origin. It is valid from the turn that introduces it (see
/// ``PoolTurn/newOrigins``) until a turn introduces the number anew.
public struct OriginID: Sendable, Hashable {
    /// The pool's own index, small and reused.
    public let index: Int32

    /// Wraps an index.
    public init(index: Int32) { self.index = index }
}

/// How a connection was acquired; the `kind` label.
@nonexhaustive
public enum AcquireKind: String, Sendable, Hashable, CaseIterable {
    /// It was opened for this request.
    case new
    /// It was idle.
    case reused
    /// Other requests are on it at the same time (HTTP/2).
    case multiplexed
}

/// Why an acquisition ended without a connection; the `reason` label.
@nonexhaustive
public enum AcquireFailure: String, Sendable, Hashable, CaseIterable {
    /// The acquire timeout, or the total timeout before there was a connection.
    case timeout
    /// The caller gave up.
    case cancelled
    /// The queue was full.
    case rejected
    /// The connection that was opened for it never became usable.
    case connectFailed = "connect_failed"
    /// The pool is shutting down.
    case shutdown
}

/// Why a connection never became usable; the `reason` label.
@nonexhaustive
public enum ConnectFailure: String, Sendable, Hashable, CaseIterable {
    /// The name did not resolve.
    case dns
    /// The peer refused.
    case refused
    /// The connect timeout, or the total timeout while connecting.
    case timeout
    /// TLS was not agreed.
    case tls
    /// The process had no descriptor left for it.
    case noDescriptor = "no_descriptor"
    /// The request that wanted it was cancelled.
    case cancelled
    /// Anything else, such as an unreachable network.
    case other
}

/// Why a usable connection was closed; the `reason` label.
@nonexhaustive
public enum CloseReason: String, Sendable, Hashable, CaseIterable {
    /// It was idle for the keep-alive expiry.
    case idleExpired = "idle_expired"
    /// More idle connections than the limit keeps.
    case idleSurplus = "idle_surplus"
    /// It made room for a connection to another origin, or gave its descriptor to another connection.
    case evicted
    /// It reached the lifetime limit.
    case maxLifetime = "max_lifetime"
    /// The peer closed it.
    case peerClosed = "peer_closed"
    /// The peer sent bytes while the connection was idle. Over TLS 1.3 these may be a session ticket or a key update, which
    /// cannot be told from data before they are read; the connection is closed all the same.
    case unexpectedData = "unexpected_data"
    /// A stream on it timed out, and nothing had come on the connection since: the peer was gone without a word.
    case unresponsive
    /// The answer said so (`Connection: close`, HTTP/1.0, a body that only the close ends).
    case responseClose = "response_close"
    /// The request on it was cancelled before its exchange was complete.
    case requestCancelled = "request_cancelled"
    /// The request on it timed out.
    case requestTimeout = "request_timeout"
    /// The exchange on it broke.
    case error
    /// The pool shut down.
    case shutdown
}

/// A limit that can make a request wait; the `limit` label.
@nonexhaustive
public enum PoolLimit: String, Sendable, Hashable, CaseIterable {
    /// ``PoolLimits/maxConnections``.
    case connections
    /// ``PoolLimits/maxConnectionsPerOrigin``.
    case connectionsPerOrigin = "connections_per_origin"
}
