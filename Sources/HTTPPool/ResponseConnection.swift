/// The connection on which a response arrived, and what it took to get it.
public struct ResponseConnection: Sendable, Hashable {
    /// How it was acquired.
    public let kind: AcquireKind
    /// The time from submission until the connection was ready. It includes attempts on connections that were dead.
    public let waited: Duration
    /// How long it took to open the connection, with DNS, TCP and TLS; `nil` if it was there already.
    public let opening: Duration?
    /// The version of HTTP as OpenTelemetry writes it, such as `1.1` or `2`; `nil` if unknown.
    public let httpVersion: String?
    /// The address of the peer, which may be a proxy. Known only for requests that are traced.
    package var peer: PeerAddress?

    /// Describes how a response got its connection.
    public init(kind: AcquireKind, waited: Duration, opening: Duration? = nil, httpVersion: String? = nil) {
        self.kind = kind
        self.waited = waited
        self.opening = opening
        self.httpVersion = httpVersion
    }
}

/// The IP address and port at the other end of a connection.
package struct PeerAddress: Sendable, Hashable {
    package let address: String
    package let port: Int

    package init(address: String, port: Int) {
        self.address = address
        self.port = port
    }
}
