/// A client that knows the limits and timeouts in force. `RetryingClient` needs them: the total timeout covers all attempts
/// together.
public protocol ConfiguredClient: Sendable {
    /// The limits and timeouts in force, each with its source.
    var configuration: PoolConfiguration { get }
}
