public import HTTPTypes

/// How requests are sent: protocol, TLS, proxy, decompression, and default header fields.
///
/// It is fixed when the pool is created, because existing connections were opened with it.
public struct PoolTransport: Sendable, Hashable {
    /// Whether HTTP/2 is used.
    public var http2 = HTTP2.off
    /// The TLS settings.
    public var tls = PoolTLS()
    /// The proxy.
    public var proxy = PoolProxy.direct
    /// How long resolved addresses are cached. If an address refuses a connection or does not accept it in time,
    /// the next connection resolves the name again regardless. Zero resolves for every connection; connections
    /// opened at the same time still share one look-up.
    public var dnsCache = Duration.seconds(60)
    /// The TCP keep-alive idle time and probe interval, in whole seconds. Probes keep a silent connection alive
    /// through a NAT or firewall, and detect a peer that is gone. `nil` disables them.
    public var tcpKeepAlive: Duration? = .seconds(60)
    /// Whether compressed responses are requested and decompressed.
    public var decompression = Decompression.off
    /// Header fields added to every request that does not set them.
    ///
    /// `User-Agent` defaults to `PoolScope/` and the version, unless it is set here or by the request; an empty
    /// value suppresses it.
    public var defaultHeaders = HTTPFields()

    /// HTTP/1.1, the system's certificate authorities, no proxy, no decompression.
    public init() {}

    /// Whether HTTP/2 is used.
    @nonexhaustive
    public enum HTTP2: String, Sendable, Hashable, CaseIterable {
        /// HTTP/1.1 only.
        case off
        /// HTTP/2 over TLS if the peer supports it (ALPN). Plain TCP uses HTTP/1.1.
        case negotiated
    }

    /// Whether compressed responses are decompressed.
    @nonexhaustive
    public enum Decompression: Sendable, Hashable {
        /// Bodies are delivered as received.
        case off
        /// Requests gzip, deflate, brotli and zstd, unless the request has its own `Accept-Encoding` or `Range`,
        /// and decompresses while the body is read. A body that does not match its `Content-Encoding`, or is
        /// truncated, ends with ``PoolError/Code/invalidResponse``. A body of more than 1 MiB that exceeds
        /// `maxRatio` times the bytes received ends with ``PoolError/Code/responseTooLarge``.
        case on(maxRatio: Int = 100)
    }
}
