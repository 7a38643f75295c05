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
    /// The connection ended while it was handed to the request.
    case lost
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
    /// It served as many requests as the client allows on one connection.
    case maxRequests = "max_requests"
    /// The peer closed it, or announced that it accepts no further request and the client cannot tell.
    case peerClosed = "peer_closed"
    /// The peer announced that it accepts no further request (HTTP/2 GOAWAY). Only where the client is certain.
    case goAway = "go_away"
    /// The peer sent bytes while the connection was idle. Over TLS 1.3 this may be a session ticket or a key
    /// update, which cannot be distinguished from data without reading; the connection is closed in either case.
    case unexpectedData = "unexpected_data"
    /// A stream timed out and the connection received nothing since: the peer is gone without closing it.
    case unresponsive
    /// Another connection to the same peer took its place.
    case superseded
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
    /// The number of requests that the peer allows at once on one connection (HTTP/2).
    case streams
}

/// How a request that had a connection ended: the `outcome` label.
@nonexhaustive
public enum LeaseOutcome: String, Sendable, Hashable, CaseIterable {
    /// A complete response with a status from 200 to 299.
    case success = "2xx"
    /// A complete response with a status from 300 to 399.
    case redirection = "3xx"
    /// A complete response with a status from 400 to 499.
    case clientError = "4xx"
    /// A complete response with a status from 500 to 599.
    case serverError = "5xx"
    /// Its reused connection was dead, and the pool sent the request again.
    case retried
    /// The caller cancelled the request, or dropped the body of the response.
    case cancelled
    /// The read, write or total timeout.
    case timeout
    /// The connection broke.
    case connectionLost = "connection_lost"
    /// The response was not valid HTTP, too large, or had a status outside of 200 to 599, such as 101.
    case invalidResponse = "invalid_response"
    /// The body that the caller was to provide failed.
    case callerFailed = "caller_failed"
    /// The pool shut down.
    case shutdown

    /// The outcome of a complete response with this status.
    public init(status: Int) {
        switch status {
        case 200..<300: self = .success
        case 300..<400: self = .redirection
        case 400..<500: self = .clientError
        case 500..<600: self = .serverError
        default: self = .invalidResponse
        }
    }
}
