public import HTTPTypes

/// How requests travel: protocol, TLS, proxy, decompression, and the header fields that every request carries.
///
/// It is settled when the pool is made. Changing it while the pool runs is refused, since connections that exist were
/// opened under it.
public struct PoolTransport: Sendable, Hashable {
    /// Which HTTP versions may be spoken.
    public var http2 = HTTP2.off
    /// Whom to trust, and how to be recognised.
    public var tls = PoolTLS()
    /// Through which proxy.
    public var proxy = PoolProxy.direct
    /// How long the addresses of a name are used before it is looked up again. An address that refused a connection, or
    /// did not take it in time, makes the next connection look the name up whatever this says. Zero looks up for every
    /// connection; those that are opened at the same time still share a look-up.
    public var dnsCache = Duration.seconds(60)
    /// After how long a silence TCP asks the peer whether it is there, and how long it waits between two such questions: whole
    /// seconds. It keeps a silent connection alive behind a NAT or firewall, and finds a peer that is gone. `nil` never
    /// asks.
    public var tcpKeepAlive: Duration? = .seconds(60)
    /// Whether compressed answers are asked for and unpacked.
    public var decompression = Decompression.off
    /// Header fields of every request that does not have them itself.
    ///
    /// `User-Agent` is `PoolScope/` and the version, unless it is set here or by the request; an empty one is not sent.
    public var defaultHeaders = HTTPFields()

    /// HTTP/1.1, the system's certificates, no proxy, no decompression.
    public init() {}

    /// Whether HTTP/2 may be spoken.
    @nonexhaustive
    public enum HTTP2: String, Sendable, Hashable, CaseIterable {
        /// HTTP/1.1 only.
        case off
        /// Over TLS, where the peer agrees to it (ALPN). Over plain TCP it is HTTP/1.1.
        case negotiated
    }

    /// Whether compressed answers are unpacked.
    @nonexhaustive
    public enum Decompression: Sendable, Hashable {
        /// Bodies come as the peer sent them.
        case off
        /// Asks for gzip, deflate, brotli and zstd unless the request has an `Accept-Encoding` or a `Range` of its own, and
        /// unpacks as the body is read. A body that is not what its `Content-Encoding` says, or is cut off, ends with
        /// ``PoolError/Code/invalidResponse``. Once it has more than a mebibyte, it may be at most `maxRatio` times what
        /// came over the wire; more ends it with ``PoolError/Code/responseTooLarge``.
        case on(maxRatio: Int = 100)
    }
}
