public import HTTPPool
public import HTTPTypes

/// Which requests are sent again, after what, how often and when.
///
/// A request is sent again only if its method may be carried out twice (``methods``) and its body can be sent twice
/// (`HTTPRequestBody.isReplayable`).
public struct RetryPolicy: Sendable, Hashable {
    /// How many attempts a request gets in all, the first one included.
    public var attempts = 3
    /// The methods that may be carried out twice: the idempotent ones. Add others (`policy.methods.insert(.post)`) only
    /// where the peer recognises a repetition.
    public var methods: Set<HTTPRequest.Method> = [.get, .head, .options, .trace, .put, .delete]
    /// The statuses after which another attempt may do better.
    public var statuses: Set<Int> = [408, 429, 502, 503, 504]
    /// The errors after which another attempt may do better: the peer was not reached, or was lost.
    ///
    /// `acquireTimeout` and `queueFull` are left out for a reason. They say that the pool is saturated; sending again
    /// what it could not carry makes that worse, and each retry waits in the queue that was too long already.
    /// `shutdown` does not pass.
    public var errors: Set<PoolError.Code> = [.connectFailed, .connectTimeout, .dnsFailed, .connectionLost]
    /// The longest wait before the second attempt; it doubles with every further one. The wait is chosen at random
    /// between zero and that (full jitter), so that clients that failed together do not come back together.
    public var base: Duration = .milliseconds(100)
    /// What the doubling ends at.
    public var cap: Duration = .seconds(10)
    /// No attempt begins later than this after the first one did; `nil` is no limit.
    public var budget: Duration? = .seconds(60)
    /// An answer's `Retry-After` is obeyed up to this, and the random wait is added to it. Zero ignores the field.
    public var longestRetryAfter: Duration = .seconds(30)

    /// Three attempts of idempotent methods.
    public init() {}
}
