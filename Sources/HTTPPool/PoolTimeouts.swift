/// The maximum duration of each phase of a request. `nil` means no limit.
public struct PoolTimeouts: Sendable, Hashable {
    /// Opening a connection: DNS, TCP and TLS together.
    public var connect: Duration? = .seconds(10)
    /// Waiting for a connection, from submission. Zero fails the request if none is available at once.
    public var acquire: Duration? = .seconds(30)
    /// Between two bytes of the response, and from the end of the request to the first byte of the response.
    public var read: Duration? = .seconds(30)
    /// Between two bytes of the request body.
    public var write: Duration? = .seconds(30)
    /// From submission to the last byte of the response.
    public var total: Duration?

    /// The defaults: 10 seconds to connect; 30 seconds each to acquire, read and write; no total timeout.
    public init() {}
}
