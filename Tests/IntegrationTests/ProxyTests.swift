import CurlPool
import Foundation
import Glibc
import HTTPPool
import HTTPTypes
import TestSupport
import Testing

/// Requests that go through a real proxy.
@Suite("Proxies")
struct ProxyTests {
    private let certificates: TestCertificates
    private let nginx: Nginx

    init() async throws {
        certificates = try await TestCertificates()
        nginx = try await Nginx.start(tls: Nginx.TLS(certificate: try await certificates.signed(), http2Streams: 32))
    }

    private func withProxy(
        _ proxy: PoolProxy,
        _ change: (inout PoolConfiguration) -> Void = { _ in },
        _ body: (CurlClient, Journal) async throws -> Void
    ) async throws {
        try await withPool(
            {
                $0.transport.proxy = proxy
                $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
                change(&$0)
            },
            body
        )
    }

    private func server(
        _ port: UInt16,
        _ credentials: PoolProxy.Credentials? = nil,
        except: [String] = []
    ) -> PoolProxy {
        .server(PoolProxy.Server(host: "127.0.0.1", port: port, credentials: credentials, except: except))
    }

    @Test("http is forwarded, https goes through a tunnel that is used again")
    func both() async throws {
        let proxy = try await Tinyproxy.start()
        try await withProxy(server(proxy.port)) { pool, journal in
            try await pool.expect("small", to: .get("http", nginx.authority))
            for _ in 0..<3 { try await pool.expect("small", to: .get("https", nginx.tlsAuthority)) }
            #expect(
                proxy.requests == [
                    "GET http://\(nginx.authority)/small HTTP/1.1", "CONNECT \(nginx.tlsAuthority) HTTP/1.1",
                ]
            )
            #expect(journal.acquireKinds == [.new, .new, .reused, .reused])
            // The only sockets of ours lead to the proxy.
            #expect(try KernelSockets().count(.established, to: nginx.tlsPort) == 0)
            try await eventually("the tunnel is there") {
                try KernelSockets().count(.established, to: proxy.port) == 1
            }
        }
    }

    @Test("Through a tunnel HTTP/2 is spoken where the peer agrees, many requests in one tunnel")
    func http2() async throws {
        let proxy = try await Tinyproxy.start()
        try await withProxy(server(proxy.port)) {
            $0.transport.http2 = .negotiated
        } _: { pool, journal in
            try await pool.expect("small", to: .get("https", nginx.tlsAuthority))
            let tasks = (0..<20).map { _ in Task { try await pool.text(.get("https", nginx.tlsAuthority)) } }
            for task in tasks { #expect(try await task.value == "small") }
            #expect(journal.opened == 1)
            #expect(proxy.requests.count == 1)
            #expect(try nginx.served().allSatisfy { $0.version == "HTTP/2.0" })
        }
    }

    @Test("A proxy that wants to know who asks is told; who is not known is refused, and nothing shows what was said")
    func credentials() async throws {
        let proxy = try await Tinyproxy.start(user: "somebody", password: "pass4word")
        let known = PoolProxy.Credentials(user: "somebody", password: "pass4word")
        try await withProxy(server(proxy.port, known)) { pool, _ in
            try await pool.expect("small", to: .get("http", nginx.authority))
            try await pool.expect("small", to: .get("https", nginx.tlsAuthority))
        }
        for unknown in [PoolProxy.Credentials(user: "somebody", password: "pass5word"), nil] {
            try await withProxy(server(proxy.port, unknown)) { pool, journal in
                let error = try await poolError { _ = try await pool.text(.get("https", nginx.tlsAuthority)) }
                #expect(error.code == .proxyFailed)
                #expect(error.phase == .connect)
                #expect(error.reason.contains("407") || error.reason.contains("401"), "\(error)")
                #expect(error.origin?.description == "https://\(nginx.tlsAuthority)")
                #expect(!"\(error)".contains("somebody") && !"\(error)".contains("pass5word"))
                #expect(journal.connectFailures == [.other])
                // A request that is forwarded has an answer, and it is the proxy's.
                let status = try await pool.execute(.get("http", nginx.authority)).status
                #expect(status == .proxyAuthenticationRequired || status == .unauthorized)
            }
        }
    }

    @Test("A proxy that is not there, or has no name, is what the error speaks of, for http and for https")
    func proxyIsDown() async throws {
        let probe = try ScriptedPeer.listen(backlog: 1)
        let port = ScriptedPeer.port(of: probe)
        close(probe)
        let nameless = PoolProxy.Server(host: "nowhere.invalid", port: 3128)
        for request in [HTTPRequest.get("http", nginx.authority), .get("https", nginx.tlsAuthority)] {
            for except in [[], ["elsewhere.example"]] {
                try await withProxy(server(port, except: except)) { pool, journal in
                    try await expectError(
                        .proxyFailed,
                        saying:
                            "the proxy could not be reached: Connection refused; through the proxy 127.0.0.1:\(port) (transport.proxy)"
                    ) {
                        _ = try await pool.text(request)
                    }
                    #expect(journal.connectFailures == [.refused])
                }
            }
            try await withProxy(.server(nameless)) { pool, journal in
                try await expectError(
                    .proxyFailed,
                    saying: "the proxy's name does not resolve; through the proxy nowhere.invalid:3128"
                ) {
                    _ = try await pool.text(request)
                }
                #expect(journal.connectFailures == [.dns])
            }
        }
    }

    @Test("A proxy that cannot reach the origin refuses the tunnel, and the error has its status")
    func originIsDown() async throws {
        let proxy = try await Tinyproxy.start()
        let probe = try ScriptedPeer.listen(backlog: 1)
        let port = ScriptedPeer.port(of: probe)
        close(probe)
        try await withProxy(server(proxy.port)) { pool, _ in
            try await expectError(.proxyFailed, saying: "status 500") {
                _ = try await pool.text(.get("https", "127.0.0.1:\(port)"))
            }
        }
        // Or is no proxy at all.
        let silent = try ScriptedPeer { connection, _ in _ = try connection.readRequest() }
        try await withProxy(server(silent.port)) { pool, journal in
            let error = try await poolError { _ = try await pool.text(.get("https", nginx.tlsAuthority)) }
            #expect(error.code == .proxyFailed, "\(error)")
            #expect(journal.connectFailures == [.other])
        }
    }

    @Test("A tunnel to a server that is not trusted is an error of TLS")
    func untrusted() async throws {
        let proxy = try await Tinyproxy.start()
        try await withProxy(server(proxy.port)) {
            $0.transport.tls.trust = .system
        } _: { pool, _ in
            try await expectError(.tlsFailed, saying: "the authority of the server's certificate is unknown") {
                _ = try await pool.text(.get("https", nginx.tlsAuthority))
            }
        }
    }

    @Test("Hosts, domains and networks that are excepted are reached directly")
    func exceptions() async throws {
        let proxy = try await Tinyproxy.start()
        for except in [["127.0.0.1", "localhost"], ["127.0.0.0/8", "localhost"]] {
            try await withProxy(server(proxy.port, except: except)) { pool, _ in
                try await pool.expect("small", to: .get("http", nginx.authority))
                try await pool.expect("small", to: .get("https", nginx.tlsAuthority))
                #expect(proxy.requests.isEmpty)
            }
        }
        try await withProxy(server(proxy.port, except: ["localhost"])) { pool, _ in
            try await pool.expect("small", to: .get("http", nginx.authority))
            try await pool.expect("small", to: .get("https", nginx.tlsAuthority))
            #expect(proxy.requests.count == 1)
        }
    }

    @Test("A proxy that is spoken to over TLS has to be trusted itself")
    func overTLS() async throws {
        let proxyKnown = PoolProxy.Server(host: "localhost", port: nginx.tlsPort)
        var overTLS = proxyKnown
        overTLS.scheme = "https"
        // nginx is no proxy, but answers a forwarded request as if it were one.
        try await withProxy(.server(overTLS)) { pool, _ in
            try await pool.expect("small", to: .get("http", "origin.example"))
        }
        try await withProxy(.server(overTLS)) {
            $0.transport.tls.trust = .system
        } _: { pool, _ in
            try await expectError(.tlsFailed, saying: "the authority of the proxy's certificate is unknown") {
                _ = try await pool.text(.get("http", "origin.example"))
            }
        }
    }
}

/// What the environment says of proxies. It is that of a process, so every test has one to itself.
@Suite("Proxies of the environment")
struct ProxyEnvironmentTests {
    @Test("http_proxy in lower case, https_proxy and no_proxy are obeyed, and HTTP_PROXY is not")
    func environment() async {
        await #expect(processExitsWith: .success) {
            let proxy = try await Tinyproxy.start()
            let certificates = try await TestCertificates()
            let nginx = try await Nginx.start(tls: Nginx.TLS(certificate: try await certificates.signed()))
            let address = "http://127.0.0.1:\(proxy.port)"
            let through = { (variables: [String: String], request: HTTPRequest) in
                for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
                    unsetenv(name)
                }
                for name in ["no_proxy", "NO_PROXY"] { unsetenv(name) }
                for (name, value) in variables { setenv(name, value, 1) }
                let before = proxy.requests.count
                try await withPool {
                    $0.transport.proxy = .environment
                    $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
                } _: { pool, _ in
                    try await pool.expect("small", to: request)
                }
                return proxy.requests.count - before
            }
            let (plain, secure) = (
                HTTPRequest.get("http", nginx.authority), HTTPRequest.get("https", nginx.tlsAuthority)
            )
            #expect(try await through([:], plain) == 0)
            #expect(try await through(["http_proxy": address], plain) == 1)
            #expect(try await through(["http_proxy": address], secure) == 0)
            #expect(try await through(["HTTP_PROXY": address], plain) == 0)
            #expect(try await through(["https_proxy": address], secure) == 1)
            #expect(try await through(["HTTPS_PROXY": address], secure) == 1)
            #expect(try await through(["all_proxy": address], plain) == 1)
            #expect(try await through(["http_proxy": address, "no_proxy": "127.0.0.0/8"], plain) == 0)
            #expect(try await through(["https_proxy": address, "NO_PROXY": "localhost"], secure) == 0)

            // A pool that goes straight, or through its own proxy, does not ask the environment.
            let refusing = try RefusingPort()
            setenv("http_proxy", "http://\(refusing.authority)", 1)
            setenv("no_proxy", "*", 1)
            try await withPool { pool, _ in try await pool.expect("small", to: plain) }
            let before = proxy.requests.count
            try await withPool {
                $0.transport.proxy = .server(PoolProxy.Server(host: "127.0.0.1", port: proxy.port))
            } _: { pool, _ in
                try await pool.expect("small", to: plain)
            }
            #expect(proxy.requests.count == before + 1)

            // One that is down is what the error speaks of.
            unsetenv("no_proxy")
            try await withPool {
                $0.transport.proxy = .environment
            } _: { pool, _ in
                try await expectError(.proxyFailed, saying: "the proxy could not be reached") {
                    _ = try await pool.text(plain)
                }
            }
            withExtendedLifetime(refusing) {}
        }
    }
}
