import CLibcurl
import Glibc
import HTTPPool

/// A pool's ``PoolTransport`` in libcurl's terms, read and checked once, when the pool is made.
///
/// Sound as `Sendable`: it is written in the initialiser and never again.
final class TransportOptions: Sendable {
    let mayMultiplex: Bool
    var proxy: PoolProxy { transport.proxy }
    /// Whether no proxy has anything to do with its requests.
    let isDirect: Bool
    /// Whether its proxy is one to which TLS is spoken.
    var speaksTLSWithProxy: Bool {
        if case .server(let server) = transport.proxy { server.scheme == "https" } else { false }
    }
    /// Whether it has a certificate to show to servers.
    var hasIdentity: Bool { transport.tls.identity != nil }
    private let transport: PoolTransport
    private let authorities: TrustedAuthorities
    private let certificate: [UInt8]
    private let privateKey: [UInt8]

    /// - Throws: `ConfigurationError` where certificates or keys cannot be read; ``PoolError`` with code
    ///   `outOfResources`.
    init(_ transport: PoolTransport) throws {
        self.transport = transport
        isDirect = transport.proxy == .direct
        mayMultiplex = transport.http2 == .negotiated
        certificate =
            try transport.tls.identity?.certificate.read("tls.identity.certificate", holds: "CERTIFICATE-----") ?? []
        privateKey =
            try transport.tls.identity?.privateKey.read("tls.identity.privateKey", holds: "PRIVATE KEY-----") ?? []
        authorities = try TrustedAuthorities(transport.tls.trust)
    }

    /// Sets the options that are the same for every transfer of the pool.
    func apply(to easy: UnsafeMutableRawPointer) {
        let version = mayMultiplex ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1
        poolscope_easy_set_long(easy, CURLOPT_HTTP_VERSION, Int(version))
        applyTLS(to: easy)
        applyProxy(to: easy)
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
        // Without any, OpenSSL would ask at the terminal for the pass phrase of a key that has one.
        poolscope_easy_set_string(easy, CURLOPT_KEYPASSWD, identity.passPhrase?.value ?? "")
    }

    private func applyProxy(to easy: UnsafeMutableRawPointer) {
        poolscope_easy_set_long(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        switch transport.proxy {
        case .direct:
            poolscope_easy_set_string(easy, CURLOPT_PROXY, "")
            // Or libcurl looks for exceptions in the environment, at every request.
            poolscope_easy_set_string(easy, CURLOPT_NOPROXY, "*")
        // Without a word from us libcurl asks the environment.
        case .environment: break
        case .server(let server):
            poolscope_easy_set_string(easy, CURLOPT_PROXY, "\(server.scheme)://\(server.host):\(server.port)")
            poolscope_easy_set_string(easy, CURLOPT_PROXYUSERNAME, server.credentials?.user.value)
            poolscope_easy_set_string(easy, CURLOPT_PROXYPASSWORD, server.credentials?.password.value)
            // Set in any case, so that no variable of the environment says otherwise.
            poolscope_easy_set_string(easy, CURLOPT_NOPROXY, server.except.joined(separator: ","))
        }
    }
}

extension PoolTLS.PEM {
    /// The bytes, which must at least look like PEM of this kind.
    func read(_ setting: String, holds kind: String) throws -> [UInt8] {
        let shown: String
        let bytes: [UInt8]
        switch self {
        case .bytes(let secret): (shown, bytes) = (secret.description, secret.value)
        case .file(let path): (shown, bytes) = (path, Self.contents(of: path) ?? [])
        }
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.contains("-----BEGIN "), text.contains(kind) else {
            let allowed = "what can be read and is PEM with \(kind.dropLast(5))"
            throw ConfigurationError(problems: [.init(name: setting, value: shown, allowed: allowed)])
        }
        return bytes
    }

    private static func contents(of path: String) -> [UInt8]? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { return ferror(file) == 0 ? bytes : nil }
            bytes += buffer[..<count]
        }
    }
}
