/// A client that exposes the limits and timeouts in force.
///
/// `RetryingClient` needs them, because the total timeout covers all attempts together.
public protocol ConfiguredClient: Sendable {
    /// The limits and timeouts in force, each with its source.
    var configuration: PoolConfiguration { get }
}
