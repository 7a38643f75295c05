public import HTTPPool
public import HTTPTypes

/// Which requests are retried, how often and when.
///
/// A request is retried only if its method may be repeated (``methods``) and its body can be sent twice
/// (`HTTPRequestBody.isReplayable`).
public struct RetryPolicy: Sendable, Hashable {
    /// Maximum number of attempts, including the first.
    public var attempts = 3
    /// The methods that may be repeated: the idempotent ones. Add others (`policy.methods.insert(.post)`) only if
    /// the server detects repeated requests.
    public var methods: Set<HTTPRequest.Method> = [.get, .head, .options, .trace, .put, .delete]
    /// The status codes after which a retry may succeed.
    public var statuses: Set<Int> = [408, 429, 502, 503, 504]
    /// The errors after which a retry may succeed: the peer was not reached, or the connection was lost.
    ///
    /// `acquireTimeout` and `queueFull` are excluded deliberately. They mean that the pool is saturated; retries
    /// would increase its load and wait in the same queue. `shutdown` is permanent.
    public var errors: Set<PoolError.Code> = [.connectFailed, .connectTimeout, .dnsFailed, .connectionLost]
    /// The maximum wait before the second attempt; it doubles with each further attempt. The wait is chosen at
    /// random between zero and the maximum (full jitter), so that clients that failed together do not retry
    /// together.
    public var base: Duration = .milliseconds(100)
    /// The upper limit of the doubling.
    public var cap: Duration = .seconds(10)
    /// No attempt starts later than this after the first one; `nil` means no limit.
    public var budget: Duration? = .seconds(60)
    /// The maximum `Retry-After` that is honoured; the random wait is added to it. Zero ignores the field.
    public var longestRetryAfter: Duration = .seconds(30)

    /// Three attempts for idempotent methods.
    public init() {}
}
