/// The settings of the transport.
extension PoolSetting {
    /// ``PoolTransport/http2``.
    public static let http2 = PoolSetting(
        "http2",
        key: "http2",
        label: "HTTP/2",
        property: "transport.http2",
        .transport,
        \.pool.values.transport.http2,
        .word,
        "HTTP/2 over TLS if the peer supports it"
    )
    /// ``PoolTLS/trust``.
    public static let caFile = PoolSetting(
        "ca_file",
        key: "caFile",
        label: "CA file",
        property: "transport.tls.trust",
        .transport,
        \.pool.values.transport.tls.trust,
        .authorities,
        "certificate authorities to trust in addition to the system's"
    )
    /// ``PoolTLS/minimumVersion``.
    public static let minimumTLSVersion = PoolSetting(
        "tls_min_version",
        key: "tlsMinVersion",
        label: "oldest TLS",
        property: "transport.tls.minimumVersion",
        .transport,
        \.pool.values.transport.tls.minimumVersion,
        .word,
        "the minimum TLS version"
    )
    /// ``PoolTransport/proxy``, without the hosts that are reached directly.
    public static let proxy = PoolSetting(
        "proxy",
        key: "proxy",
        label: "proxy",
        property: "transport.proxy",
        .transport,
        \.pool.values.transport.proxyAlone,
        .proxy,
        "the proxy; `environment` takes `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`"
    )
    /// ``PoolProxy/Server/except``.
    public static let proxyExceptions = PoolSetting(
        "no_proxy",
        key: "noProxy",
        label: "not by proxy",
        property: "transport.proxy",
        .transport,
        \.pool.values.transport.proxyExceptions,
        .proxyExceptions,
        requires: Requirement(key: "proxy", words: "only with a URL in") {
            if case .server = $0.pool.transport.proxy { true } else { false }
        },
        "hosts reached without the proxy; requires a URL in `HTTP_CLIENT_PROXY`"
    )
    /// ``PoolTransport/decompression``.
    public static let decompression = PoolSetting(
        "decompression",
        key: "decompression",
        label: "decompression",
        property: "transport.decompression",
        .transport,
        \.pool.values.transport.decompression,
        .decompression,
        "whether compressed responses are requested and decompressed"
    )
    /// ``PoolTransport/dnsCache``.
    public static let dnsCache = PoolSetting(
        "dns_cache_seconds",
        key: "dnsCache",
        label: "DNS cache",
        property: "transport.dnsCache",
        .transport,
        \.pool.values.transport.dnsCache,
        .seconds,
        "how long resolved addresses are cached; with 0 each connection resolves the name, and those opened at the "
            + "same time share a look-up"
    )
    /// ``PoolTransport/tcpKeepAlive``.
    public static let tcpKeepAlive = PoolSetting(
        "tcp_keepalive_seconds",
        key: "tcpKeepalive",
        label: "TCP keepalive",
        property: "transport.tcpKeepAlive",
        .transport,
        \.pool.values.transport.tcpKeepAlive,
        .wholeSeconds,
        "the idle time before TCP probes the peer, and the interval between probes"
    )
}

extension PoolTransport {
    /// The proxy without its exceptions. Setting it keeps the exceptions.
    fileprivate var proxyAlone: PoolProxy {
        get {
            guard case .server(var server) = proxy else { return proxy }
            server.except = []
            return .server(server)
        }
        set {
            let exceptions = proxyExceptions
            proxy = newValue
            proxyExceptions = exceptions
        }
    }

    /// The hosts that are reached directly; empty unless a proxy server is configured.
    fileprivate var proxyExceptions: [String] {
        get { if case .server(let server) = proxy { server.except } else { [] } }
        set {
            guard case .server(var server) = proxy else { return }
            server.except = newValue
            proxy = .server(server)
        }
    }
}
