/// How long each phase of a request may take. `nil` means no limit.
public struct PoolTimeouts: Sendable, Hashable {
    /// Opening a connection: DNS, TCP and TLS together.
    public var connect: Duration? = .seconds(10)
    /// Waiting in the queue for a connection, counted once from submission. Zero means now or never.
    public var acquire: Duration? = .seconds(30)
    /// Between two bytes of the answer, and from the end of the request to its first byte.
    public var read: Duration? = .seconds(30)
    /// Between two bytes of the request's body.
    public var write: Duration? = .seconds(30)
    /// From submission to the last byte of the answer.
    public var total: Duration?

    /// The defaults: 10 seconds to connect, 30 to acquire, read and write, no total.
    public init() {}
}
