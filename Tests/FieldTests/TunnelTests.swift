import CurlPool
import Glibc
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// What a proxy may answer when it is asked for a tunnel, and what of a request it is told.
@Suite("Tunnels")
struct TunnelTests {
    private let certificates: TestCertificates
    private let tls: TLSPeer

    init() async throws {
        certificates = try await TestCertificates()
        tls = try TLSPeer(try await certificates.signed(for: "origin.test"))
    }

    private static let credentials = PoolProxy.Credentials(user: "somebody", password: "pass4word")
    private let secure = HTTPRequest.to("origin.test", "/path", scheme: "https")

    private func withProxy(
        _ proxy: ScriptedProxy,
        credentials: PoolProxy.Credentials? = nil,
        connect: Duration = .seconds(10),
        _ body: (InstrumentedClient) async throws -> Void
    ) async throws {
        try await withMeasuredPool {
            $0.transport.proxy = .server(
                PoolProxy.Server(host: "127.0.0.1", port: proxy.peer.port, credentials: credentials)
            )
            $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
            $0.timeouts.connect = connect
        } _: { client in
            try await body(client)
        }
        try await proxy.peer.stop()
    }

    // RFC 9110, 9.3.6 and 15.3: any 2xx, and what it says of a length means nothing. curl/curl #1317,
    // elixir-mint/mint #493.
    @Test(
        "Any 2xx opens the tunnel, whatever it says of a body, and however it is cut",
        arguments: [
            ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"], ["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"],
            ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"], ["HTTP/1.1 299 Fine\r\n\r\n"],
            ["HTTP/1.1 20", "0 OK\r\nX: y\r", "\n\r", "\n"], ["HTTP/1.0 200 Connection established\r\n\r\n"],
        ]
    )
    func opens(reply: [String]) async throws {
        let proxy = try ScriptedProxy(reply, then: .tls(tls))
        try await withProxy(proxy, credentials: Self.credentials) { client in
            for _ in 0..<2 {
                let text = try await client.fetch(secure).text
                #expect(text == "origin")
            }
            #expect(proxy.peer.connections == 1)
            // RFC 9110, 11.7.2: who asks is the proxy's alone to know.
            #expect(proxy.requests.count == 3)
            #expect(proxy.requests.first?.contains("Proxy-Authorization: Basic ") == true)
            #expect(proxy.requests.dropFirst().allSatisfy { !$0.lowercased().contains("proxy-auth") })
        }
    }

    // RFC 9110, 11.7 and 15.5.8; swift-server/async-http-client #764, oven-sh/bun #35965: a refusal is the proxy's,
    // and no response of the origin.
    @Test(
        "A refusal is an error that has its status; its body, its cookie and its address lead nowhere",
        arguments: [
            (407, "Proxy-Authenticate: Basic realm=\"p\"\r\nContent-Length: 20\r\n", true),
            (407, "Proxy-Authenticate: Basic realm=\"p\"\r\nContent-Length: 20\r\nConnection: close\r\n", false),
            (407, "Content-Length: 20\r\n", false), (407, "Proxy-Authenticate: Basic realm=\"p\"\r\n", false),
            (401, "WWW-Authenticate: Basic realm=\"p\"\r\nContent-Length: 20\r\n", true),
            (403, "Content-Length: 20\r\n", true), (502, "Content-Length: 20\r\n", false),
            (302, "Location: http://127.0.0.1:1/\r\nContent-Length: 20\r\n", true),
            (407, "Proxy-Authenticate: Basic realm=\"p\"\r\nContent-Length: 200\r\n", true),
        ],
        [true, false]
    )
    func refuses(answer: (status: Int, fields: String, staysOpen: Bool), isKnown: Bool) async throws {
        let reply = "HTTP/1.1 \(answer.status) No\r\nSet-Cookie: a=b\r\n\(answer.fields)\r\n<p>not the origin</p>"
        let proxy = try ScriptedProxy([reply], then: answer.staysOpen ? .silence : .close)
        try await withProxy(
            proxy,
            credentials: isKnown ? Self.credentials : nil,
            connect: .seconds(answer.fields.contains("200\r\n") ? 1 : 10)
        ) { client in
            var options = RequestOptions()
            options.redirects = .follow(limit: 3)
            var request = secure
            request.headerFields[.authorization] = "Bearer of-the-origin"
            let error = try await poolError { _ = try await client.fetch(request, options: options) }
            if error.code != .connectTimeout {
                #expect(error.code == .proxyFailed, "\(error)")
                #expect(error.reason.contains("\(answer.status)"), "\(error)")
            }
            #expect(error.phase == .connect)
            #expect(proxy.requests.allSatisfy { $0.hasPrefix("CONNECT origin.test:443 ") })
            #expect(proxy.requests.count <= 2)
            #expect(proxy.requests.allSatisfy { !$0.contains("of-the-origin") })
            try await client.becomes()
            let origin = try client.onlyOrigin
            #expect(origin.connectFailures.total == 1)
            #expect(origin.connectionsOpened == 0)
        }
    }

    // RFC 9110, 9.3.6: what follows the blank line is the tunnel's. hyperium/hyper #4095, encode/httpcore #1023.
    @Test(
        "A tunnel that dies, or brings what is no TLS, is an error at once and is asked for once",
        arguments: [
            ("HTTP/1.1 200 OK\r\n\r\n", false), ("HTTP/1.1 200 OK\r\n\r\nbytes that are no TLS", true),
            ("HTTP/1.1 200 OK\r\n\r\n\u{15}\u{3}\u{3}\u{0}\u{2}\u{2}\u{28}", true), ("HTTP/1.1 2000 OK\r\n\r\n", true),
            ("HTTP/1.1 200 OK\r\nX: y\r\n", false), ("HTTP/1.1 ", false), ("", false), ("SSH-2.0-x\r\n", false),
        ]
    )
    func dies(reply: String, staysOpen: Bool) async throws {
        let proxy = try ScriptedProxy([reply], then: staysOpen ? .silence : .close)
        try await withProxy(proxy, connect: .seconds(20)) { client in
            let error = try await poolError { _ = try await client.fetch(secure) }
            #expect([.proxyFailed, .tlsFailed].contains(error.code), "\(error)")
            #expect(error.phase == .connect)
            #expect(proxy.requests.count == 1)
            let origin = try client.onlyOrigin
            #expect(origin.connectFailures.total == 1)
            #expect(origin.connectionsOpened == 0)
        }
    }

    // A connect timeout is one for the whole of connecting. dakrone/clj-http #462, Go has none here
    // (router-for-me/CLIProxyAPI #3952).
    @Test("A reply that never ends is ended by the connect timeout", arguments: [0, 1, 60_000])
    func trickles(bytes: Int) async throws {
        let peer = try ScriptedPeer { connection, _ in
            guard try connection.readHeadOnly() != nil else { return }
            guard connection.write(bytes > 1 ? "HTTP/1.1 200 OK\r\n" : "") else { return }
            while bytes > 0 {
                let text = bytes == 1 ? "H" : String(repeating: "X: y\r\n", count: bytes / 6)
                guard connection.write(text) else { return }
                usleep(50_000)
            }
            connection.waitForEnd()
        }
        try await withMeasuredPool {
            $0.transport.proxy = .server(PoolProxy.Server(host: "127.0.0.1", port: peer.port))
            $0.timeouts.connect = .seconds(1)
        } _: { client in
            let error = try await poolError { _ = try await client.fetch(secure) }
            #expect(error.code == .connectTimeout || bytes > 0 && error.code == .proxyFailed, "\(error)")
            #expect(error.phase == .connect)
            #expect(try client.onlyOrigin.connectFailures.total == 1)
        }
        try await peer.stop()
    }

    // RFC 9110, 11.7.2. yhirose/cpp-httplib #2579, snoyberg/http-client #133.
    @Test(
        "Proxy-Authorization of the caller's own is for a proxy that forwards, and reaches no origin through a tunnel"
    )
    func ownCredentials() async throws {
        let proxy = try ScriptedProxy(["HTTP/1.1 200 OK\r\n\r\n"], then: .tls(tls))
        try await withProxy(proxy) { client in
            var request = secure
            request.headerFields[.proxyAuthorization] = "Basic c2VjcmV0"
            let text = try await client.fetch(request).text
            #expect(text == "origin")
            // CONNECT and what was sent through the tunnel.
            #expect(proxy.requests.count == 2)
            #expect(proxy.requests.dropFirst().allSatisfy { !$0.contains("c2VjcmV0") }, "\(proxy.requests)")
        }
    }

    @Test("The configured user is sent to no origin that is excepted, not even by a redirect from one that is not")
    func exceptedOrigin() async throws {
        let origin = try ScriptedPeer { connection, _ in
            while let request = try connection.readRequest() { connection.answer(request.head) }
        }
        let forwarding = try ScriptedPeer { connection, _ in
            while let request = try connection.readRequest() {
                let isKnown = request.head.contains("Proxy-Authorization: Basic ")
                let fields = "Location: http://localhost:\(origin.port)/\r\nContent-Length: 0\r\n"
                connection.write("HTTP/1.1 \(isKnown ? 302 : 500) Found\r\n\(fields)\r\n")
            }
        }
        try await withMeasuredPool {
            $0.transport.proxy = .server(
                PoolProxy.Server(
                    host: "127.0.0.1",
                    port: forwarding.port,
                    credentials: Self.credentials,
                    except: ["localhost"]
                )
            )
        } _: { client in
            var options = RequestOptions()
            options.redirects = .follow(limit: 3)
            let request = HTTPRequest.to("first.test", fields: [.proxyAuthorization: "Basic b3du"])
            let found = try await client.fetch(request, options: options)
            #expect(found.status == 200 || found.status == 500)
            #expect(!found.text.lowercased().contains("proxy-authorization"), "\(found.text)")
        }
    }

    // RFC 9112, 9.3.1.
    @Test("A tunnel that was closed, or reset, while idle is replaced, and costs no request", arguments: [true, false])
    func closedWhileIdle(isReset: Bool) async throws {
        let tls = tls
        let connects = Counter()
        let peer = try ScriptedPeer { connection, _ in
            guard try connection.readHeadOnly() != nil else { return }
            connects.add(1)
            connection.write("HTTP/1.1 200 OK\r\n\r\n")
            let session = try tls.accept(connection)
            guard session.readHead() != nil else { return }
            session.answer("origin")
            if isReset { connection.reset() }
        }
        try await withMeasuredPool {
            $0.transport.proxy = .server(PoolProxy.Server(host: "127.0.0.1", port: peer.port))
            $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
        } _: { client in
            for round in 1...3 {
                let text = try await client.fetch(.to("origin.test", method: .post, scheme: "https"), body: "a").text
                #expect(text == "origin")
                try await client.becomes()
                #expect(connects.value == round)
            }
            #expect(try client.onlyOrigin.connectionsClosed.total == 3)
        }
        try await peer.stop()
    }
}
