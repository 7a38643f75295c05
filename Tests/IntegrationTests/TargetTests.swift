import CurlPool
import HTTPPool
import HTTPTypes
import TestSupport
import Testing

/// Path and query as nginx finds them, whichever way they went.
@Suite("What is asked for")
struct TargetTests {
    private let certificates: TestCertificates
    private let nginx: Nginx

    init() async throws {
        certificates = try await TestCertificates()
        nginx = try await Nginx.start(
            locations: "location / { return 200 $request_uri; }",
            tls: Nginx.TLS(certificate: try await certificates.signed(), http2Streams: 32)
        )
    }

    /// What is asked for, and what arrives.
    static let targets = [
        ("", "/"), ("/", "/"), ("/a", "/a"), ("//a//b/", "//a//b/"), ("/a/./b/../c", "/a/./b/../c"),
        ("/a?b=c&d=%20%2F", "/a?b=c&d=%20%2F"), ("/a?b=/../c?d", "/a?b=/../c?d"), ("/a?", "/a?"), ("/a#b", "/a"),
        ("/a?b#c?d", "/a?b"), ("/%E4\u{e4}?\u{e4}=\u{1f600}", "/%E4%C3%A4?%C3%A4=%F0%9F%98%80"),
        ("/{a}|\"b\"<c>\\^`", "/{a}|\"b\"<c>\\^`"), ("/@b:1/http://c/", "/@b:1/http://c/"), ("/a", "/a"),
    ]

    @Test("arrives as it was written, one request after the other on a connection", arguments: ["http", "https"])
    func direct(scheme: String) async throws {
        try await withPool {
            $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
        } _: { pool, journal in
            for (target, arrives) in Self.targets {
                try await pool.expect(arrives, to: .get(scheme, authority(scheme), target))
            }
            #expect(journal.opened == 1)
        }
    }

    @Test("arrives the same on streams of HTTP/2")
    func http2() async throws {
        try await withPool {
            $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
            $0.transport.http2 = .negotiated
        } _: { pool, _ in
            for (target, arrives) in Self.targets {
                try await pool.expect(arrives, to: .get("https", nginx.tlsAuthority, target))
            }
            #expect(try nginx.served().allSatisfy { $0.version == "HTTP/2.0" })
        }
    }

    @Test("arrives through a proxy, forwarded and in a tunnel", arguments: ["http", "https"])
    func proxied(scheme: String) async throws {
        let proxy = try await Tinyproxy.start()
        try await withPool {
            $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
            $0.transport.proxy = .server(PoolProxy.Server(host: "127.0.0.1", port: proxy.port))
        } _: { pool, _ in
            // Of an empty query libcurl tells no proxy that forwards.
            for (target, arrives) in Self.targets where scheme == "https" || !target.hasSuffix("?") {
                try await pool.expect(arrives, to: .get(scheme, authority(scheme), target))
            }
        }
    }

    private func authority(_ scheme: String) -> String { scheme == "http" ? nginx.authority : nginx.tlsAuthority }
}
