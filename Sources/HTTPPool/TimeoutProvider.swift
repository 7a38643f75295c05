/// A client that knows the timeouts of the requests that it sends. `RetryingClient` needs them: the total timeout covers all
/// attempts together.
public protocol TimeoutProvider: Sendable {
    /// The timeouts in force, for requests whose options set none.
    var timeouts: PoolTimeouts { get }
}
