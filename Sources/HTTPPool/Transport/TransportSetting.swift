/// One setting of a pool's transport that a variable of the environment can make. The others are for code.
public enum TransportSetting: String, Sendable, Hashable, CaseIterable {
    /// ``PoolTransport/http2``.
    case http2
    /// ``PoolTLS/trust``.
    case caFile = "ca_file"
    /// ``PoolTLS/minimumVersion``.
    case minimumTLSVersion = "tls_min_version"
    /// ``PoolTransport/proxy``.
    case proxy
    /// ``PoolProxy/Server/except``.
    case proxyExceptions = "no_proxy"
    /// ``PoolTransport/decompression``.
    case decompression
    /// ``PoolTransport/dnsCache``.
    case dnsCache = "dns_cache_seconds"
    /// ``PoolTransport/tcpKeepAlive``.
    case tcpKeepAlive = "tcp_keepalive_seconds"

    /// The environment variable that sets it.
    public var variable: String {
        switch self {
        case .http2: "HTTP_CLIENT_HTTP2"
        case .caFile: "HTTP_CLIENT_CA_FILE"
        case .minimumTLSVersion: "HTTP_CLIENT_TLS_MIN_VERSION"
        case .proxy: "HTTP_CLIENT_PROXY"
        case .proxyExceptions: "HTTP_CLIENT_NO_PROXY"
        case .decompression: "HTTP_CLIENT_DECOMPRESSION"
        case .dnsCache: "HTTP_CLIENT_DNS_CACHE"
        case .tcpKeepAlive: "HTTP_CLIENT_TCP_KEEPALIVE"
        }
    }

    /// The value in `transport` as a person reads it: `negotiated`, `http://(hidden)@proxy:3128`. Never a secret.
    public func text(in transport: PoolTransport) -> String {
        switch self {
        case .http2: transport.http2.rawValue
        case .caFile:
            switch transport.tls.trust {
            case .system: "none"
            case .systemAnd(let pem): pem.shown
            case .only(let pem): "only \(pem.shown)"
            }
        case .minimumTLSVersion: transport.tls.minimumVersion.rawValue
        case .proxy:
            switch transport.proxy {
            case .direct: "none"
            case .environment: "environment"
            case .server(let server): server.description
            }
        case .proxyExceptions:
            transport.proxy.exceptions.isEmpty ? "none" : transport.proxy.exceptions.joined(separator: ",")
        case .decompression:
            switch transport.decompression {
            case .off: "off"
            case .on: "on"
            }
        case .dnsCache: PoolSetting.Value.duration(transport.dnsCache).description
        case .tcpKeepAlive: transport.tcpKeepAlive.map { "\($0.components.seconds) s" } ?? "none"
        }
    }

    /// Whether two transports have the same value of this setting.
    func isSame(in a: PoolTransport, and b: PoolTransport) -> Bool {
        switch self {
        case .http2: a.http2 == b.http2
        case .caFile: a.tls.trust == b.tls.trust
        case .minimumTLSVersion: a.tls.minimumVersion == b.tls.minimumVersion
        case .proxy: a.proxy.withoutExceptions == b.proxy.withoutExceptions
        case .proxyExceptions: a.proxy.exceptions == b.proxy.exceptions
        case .decompression: a.decompression == b.decompression
        case .dnsCache: a.dnsCache == b.dnsCache
        case .tcpKeepAlive: a.tcpKeepAlive == b.tcpKeepAlive
        }
    }
}

extension PoolTLS.PEM {
    fileprivate var shown: String {
        switch self {
        case .file(let path): path
        case .bytes: "(hidden)"
        }
    }
}

extension PoolProxy {
    /// What is reached without the proxy.
    fileprivate var exceptions: [String] {
        if case .server(let server) = self { server.except } else { [] }
    }

    fileprivate var withoutExceptions: PoolProxy {
        guard case .server(var server) = self else { return self }
        server.except = []
        return .server(server)
    }
}
