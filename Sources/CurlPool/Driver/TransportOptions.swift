import CLibcurl
import Glibc
import HTTPPool

/// A pool's ``PoolTransport`` in libcurl's terms, read and validated once, when the pool is created.
///
/// Sound as `Sendable`: it is immutable after initialization.
final class TransportOptions: Sendable {
    let mayMultiplex: Bool
    /// Whether no request goes through a proxy.
    let isDirect: Bool
    /// Decides the route of each request.
    let proxies: ProxyRules
    /// How long resolved addresses are used, in nanoseconds.
    let nameLifetime: UInt64
    /// Whether there is a client certificate.
    var hasIdentity: Bool { transport.tls.identity != nil }
    private let transport: PoolTransport
    private let files: TransportFiles

    /// - Parameter files: the files of the same configuration, without problems.
    init(_ configuration: PoolConfiguration, _ files: TransportFiles) {
        let transport = configuration.transport
        self.transport = transport
        self.files = files
        proxies = ProxyRules(
            transport.proxy,
            setBy: configuration.name(of: .proxy),
            environment: Self.environment
        )
        isDirect = proxies.only == .direct
        nameLifetime = transport.dnsCache.wholeNanoseconds
        mayMultiplex = transport.http2 == .negotiated
    }

    /// Closes the files that are open. No transfer may be carried out afterwards.
    func close() { files.authorities?.close() }

    /// The value of an environment variable of this process; `nil` if it is not set.
    static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// Sets the options shared by all transfers of the pool.
    func apply(to easy: UnsafeMutableRawPointer) {
        let version = mayMultiplex ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1
        poolscope_easy_set_long(easy, CURLOPT_HTTP_VERSION, Int(version))
        applyTLS(to: easy)
        poolscope_easy_set_long(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        if let only = proxies.only { apply(only, to: easy) }
        guard let idle = transport.tcpKeepAlive else { return }
        poolscope_easy_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1)
        poolscope_easy_set_long(easy, CURLOPT_TCP_KEEPIDLE, Int(idle.components.seconds))
        poolscope_easy_set_long(easy, CURLOPT_TCP_KEEPINTVL, Int(idle.components.seconds))
    }

    private func applyTLS(to easy: UnsafeMutableRawPointer) {
        let tls = transport.tls
        let version = tls.minimumVersion == .tls13 ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2
        poolscope_easy_set_long(easy, CURLOPT_SSLVERSION, Int(version))
        poolscope_easy_set_long(easy, CURLOPT_PROXY_SSLVERSION, Int(version))
        if tls.verification == .insecurelyAcceptAnyServer {
            poolscope_easy_set_long(easy, CURLOPT_SSL_VERIFYPEER, 0)
            poolscope_easy_set_long(easy, CURLOPT_SSL_VERIFYHOST, 0)
        }
        files.authorities?.apply(to: easy)
        guard let identity = tls.identity else { return }
        // libcurl copies both.
        for (option, pem) in [
            (CURLOPT_SSLCERT_BLOB, files.certificate), (CURLOPT_SSLKEY_BLOB, files.privateKey),
        ] {
            _ = pem.withUnsafeBytes { poolscope_easy_set_blob(easy, option, $0.baseAddress, $0.count) }
        }
        // If no pass phrase is set, OpenSSL prompts for that of an encrypted key on the terminal.
        poolscope_easy_set_string(easy, CURLOPT_KEYPASSWD, identity.passPhrase?.value ?? "")
    }

    /// Sets the route of the next request explicitly, so that libcurl consults neither the environment nor a list
    /// of exceptions.
    func apply(_ route: ProxyRules.Route, to easy: UnsafeMutableRawPointer) {
        switch route {
        case .direct:
            poolscope_easy_set_string(easy, CURLOPT_PROXY, "")
            poolscope_easy_set_string(easy, CURLOPT_NOPROXY, "*")
        case .proxy(let proxy):
            poolscope_easy_set_string(easy, CURLOPT_PROXY, proxy.address.value)
            poolscope_easy_set_string(easy, CURLOPT_PROXYUSERNAME, proxy.credentials?.user.value)
            poolscope_easy_set_string(easy, CURLOPT_PROXYPASSWORD, proxy.credentials?.password.value)
            poolscope_easy_set_string(easy, CURLOPT_NOPROXY, "")
        }
    }
}
