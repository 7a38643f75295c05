import CLibcurl
import CLinux
import Glibc
import HTTPPool

/// A pool's ``PoolTransport`` in libcurl's terms, read and checked once, when the pool is made.
///
/// Sound as `Sendable`: it is written in the initialiser and never again.
final class TransportOptions: Sendable {
    let decompression: PoolTransport.Decompression
    let mayMultiplex: Bool
    /// Whether no proxy has anything to do with its requests.
    let isDirect: Bool
    /// Which way its requests go.
    let proxies: ProxyRules
    /// How long the addresses of a name are used, in nanoseconds.
    let nameLifetime: UInt64
    private let transport: PoolTransport
    /// The authorities that are trusted, as a file.
    private let authorities: String?
    /// Holds ``authorities``, where they are no file of the system.
    private let authoritiesDescriptor: Int32?
    private let certificate: [UInt8]
    private let privateKey: [UInt8]

    /// - Throws: `ConfigurationError` where certificates or keys cannot be read; ``PoolError`` with code
    ///   `outOfResources`.
    init(_ transport: PoolTransport) throws {
        self.transport = transport
        decompression = transport.decompression
        let environment = { (name: String) in getenv(name).map { String(cString: $0) } }
        proxies = ProxyRules(transport.proxy, environment: environment)
        isDirect = proxies.only == .direct
        nameLifetime = transport.dnsCache.wholeNanoseconds
        mayMultiplex = transport.http2 == .negotiated
        certificate =
            try transport.tls.identity?.certificate.read("tls.identity.certificate", holds: "CERTIFICATE-----") ?? []
        privateKey =
            try transport.tls.identity?.privateKey.read("tls.identity.privateKey", holds: "PRIVATE KEY-----") ?? []
        let read = { (pem: PoolTLS.PEM) in try pem.read("tls.trust", holds: "CERTIFICATE-----") }
        switch transport.tls.trust {
        case .system:
            switch try SystemAuthorities(environment: environment) {
            case .file(let bundle)?: (authorities, authoritiesDescriptor) = (bundle, nil)
            case .pem(let pem)?: (authorities, authoritiesDescriptor) = try Self.file(pem)
            case nil: (authorities, authoritiesDescriptor) = (nil, nil)
            }
        case .systemAnd(let more):
            let system = try Libcurl.certificateBundle.map { try read(.file($0)) } ?? []
            (authorities, authoritiesDescriptor) = try Self.file(system + [UInt8(ascii: "\n")] + read(more))
        case .only(let these):
            (authorities, authoritiesDescriptor) = try Self.file(read(these))
        }
    }

    deinit { if let authoritiesDescriptor { close(authoritiesDescriptor) } }

    /// A file in memory. libcurl keeps the parsed authorities between connections only where they come from a file.
    private static func file(_ pem: [UInt8]) throws -> (String, Int32) {
        let descriptor = poolscope_memory_file("poolscope-authorities")
        guard descriptor >= 0 else {
            throw PoolError(.outOfResources, "the system gave the pool no memory file", phase: .submit)
        }
        var written = 0
        while written < pem.count {
            let count = pem.withUnsafeBytes {
                write(descriptor, $0.baseAddress.map { $0 + written }, pem.count - written)
            }
            guard count > 0 else {
                close(descriptor)
                throw PoolError(.outOfResources, "the system gave the pool no memory file", phase: .submit)
            }
            written += count
        }
        return ("/proc/self/fd/\(descriptor)", descriptor)
    }

    /// Sets the options that are the same for every transfer of the pool.
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
        if let authorities {
            poolscope_easy_set_string(easy, CURLOPT_CAINFO, authorities)
            poolscope_easy_set_string(easy, CURLOPT_CAPATH, nil)
            poolscope_easy_set_string(easy, CURLOPT_PROXY_CAINFO, authorities)
            poolscope_easy_set_string(easy, CURLOPT_PROXY_CAPATH, nil)
        }
        guard let identity = tls.identity else { return }
        // libcurl copies both.
        for (option, pem) in [(CURLOPT_SSLCERT_BLOB, certificate), (CURLOPT_SSLKEY_BLOB, privateKey)] {
            _ = pem.withUnsafeBytes { poolscope_easy_set_blob(easy, option, $0.baseAddress, $0.count) }
        }
        // Without any, OpenSSL would ask at the terminal for the pass phrase of a key that has one.
        poolscope_easy_set_string(easy, CURLOPT_KEYPASSWD, identity.passPhrase?.value ?? "")
    }

    /// Tells libcurl the way of the next request, so that it asks neither the environment nor a list of exceptions.
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

    static func contents(of path: String) -> [UInt8]? {
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
