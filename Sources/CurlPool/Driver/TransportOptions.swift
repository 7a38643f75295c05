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
    private let authorities: TrustedAuthorities
    private let certificate: [UInt8]
    private let privateKey: [UInt8]

    /// - Throws: `ConfigurationError` if certificates or keys cannot be read; ``PoolError`` with code
    ///   `outOfResources`.
    init(_ configuration: PoolConfiguration) throws {
        let transport = configuration.transport
        self.transport = transport
        proxies = ProxyRules(transport.proxy, environment: Self.environment)
        isDirect = proxies.only == .direct
        nameLifetime = transport.dnsCache.wholeNanoseconds
        mayMultiplex = transport.http2 == .negotiated
        certificate =
            try transport.tls.identity?.certificate.read(
                "transport.tls.identity.certificate",
                holds: "CERTIFICATE-----"
            ) ?? []
        privateKey =
            try transport.tls.identity?.privateKey.read("transport.tls.identity.privateKey", holds: "PRIVATE KEY-----")
            ?? []
        authorities = try TrustedAuthorities(transport.tls.trust, name: configuration.name(of: .caFile))
    }

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
        authorities.apply(to: easy)
        guard let identity = tls.identity else { return }
        // libcurl copies both.
        for (option, pem) in [(CURLOPT_SSLCERT_BLOB, certificate), (CURLOPT_SSLKEY_BLOB, privateKey)] {
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

extension PoolTLS.PEM {
    /// Reads the bytes and checks that they look like PEM of this kind.
    ///
    /// - Parameter name: the setting's name for the error.
    /// - Throws: `ConfigurationError` with the reason: the system's error, or that the contents are not PEM of this
    ///   kind.
    func read(_ name: String, holds kind: String) throws -> [UInt8] {
        let shown: String
        let bytes: [UInt8]
        var reason = "it is not PEM with \(kind.dropLast(5))"
        switch self {
        case .bytes(let secret): (shown, bytes) = (secret.description, secret.value)
        case .file(let path):
            let file = Self.load(path)
            (shown, bytes) = (path, file.bytes)
            if file.error != 0 { reason = "it cannot be read: \(String(cString: strerror(file.error)))" }
        }
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.contains("-----BEGIN "), text.contains(kind) else {
            let allowed = "readable PEM with \(kind.dropLast(5)); \(reason)"
            throw ConfigurationError(problems: [.init(name: name, value: shown, allowed: allowed)])
        }
        return bytes
    }

    /// The contents of a file; `nil` if it cannot be read.
    static func contents(of path: String) -> [UInt8]? {
        let file = load(path)
        return file.error == 0 ? file.bytes : nil
    }

    /// The contents of a file as far as they could be read, and the `errno` value if reading failed; otherwise 0.
    private static func load(_ path: String) -> (bytes: [UInt8], error: Int32) {
        guard let file = fopen(path, "re") else { return ([], errno) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            errno = 0
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { return (bytes, ferror(file) == 0 ? 0 : max(errno, 1)) }
            bytes += buffer[..<count]
        }
    }
}
