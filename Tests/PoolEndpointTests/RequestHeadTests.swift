import NIOHTTP1
import PoolMetrics
import Testing

@testable import PoolEndpoint

@Suite("The head of a request")
struct RequestHeadTests {
    /// What becomes of a text: the status of its refusal, `0` as long as it is not complete, 200 if it is admitted.
    private func verdict(_ text: String, _ hosts: HostRule = .loopback(as: ["127.0.0.1"])) -> UInt {
        var buffer = HeadBuffer()
        buffer.append(text.utf8)
        do throws(HeadFault) {
            guard let bytes = try buffer.next() else { return 0 }
            _ = try RequestGate(hosts: hosts).admit(try RequestHead(bytes))
            return 200
        } catch {
            return error.status.code
        }
    }

    @Test(
        "is refused with the status of its fault",
        arguments: [
            ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 200), ("GET / HTTP/1.0\r\n\r\n", 200),
            ("\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 200), ("GET / HTTP/1.1\nHost: localhost\n\n", 200),
            ("GET / HTTP/1.7\r\nHost: localhost\r\n\r\n", 200),
            ("GET / HTTP/1.1\r\nHost:localhost \t\r\nA:\r\n\r\n", 200),
            // No Host, two, and none that could be one (RFC 9112, 3.2).
            ("GET / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400),
            ("GET / HTTP/1.0\r\nHost: a\r\nhost: a\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost:\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: localhost:x\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: user@localhost\r\n\r\n", 400),
            // Request lines.
            ("hello\r\n\r\n", 400), ("GET /\r\n\r\n", 400), ("GET  / HTTP/1.1\r\n\r\n", 400),
            ("GET / HTTP/1.1 \r\n\r\n", 400),
            ("get / http/1.1\r\n\r\n", 400), ("GET / HTTP/1\r\n\r\n", 400), ("GET / HTTP/9.9\r\n\r\n", 505),
            ("PRI * HTTP/2.0\r\n\r\n", 505), ("G(T / HTTP/1.1\r\n\r\n", 400), ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}", 400),
            (String(repeating: "\r\n", count: 20), 400), (String(repeating: "G", count: 40), 400),
            // Methods.
            ("BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n", 501), ("get / HTTP/1.1\r\nHost: localhost\r\n\r\n", 501),
            ("TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
            ("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
            ("CONNECT localhost:1 HTTP/1.1\r\nHost: localhost:1\r\n\r\n", 200),
            // Targets (RFC 9112, 3.2).
            ("GET * HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
            ("GET metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
            ("GET localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
            ("GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
            ("GET /%ff HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
            ("GET /a#b HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
            ("GET /\u{e9} HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
            ("GET ftp://localhost/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("GET http://u@localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
            ("GET http:///metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
            ("GET HTTP://localhost/metrics HTTP/1.1\r\nHost: a\r\n\r\n", 200),
            ("GET http://a/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 421),
            // Fields.
            ("GET / HTTP/1.1\r\nHost: localhost\r\nA B: c\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: localhost\r\n: c\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nA: b\r\n c\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nA: b\rc\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nA: \u{0}\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1, 2\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            // Sizes.
            ("GET /" + String(repeating: "a", count: 9000), 414),
            ("GET /\(String(repeating: "a", count: 9000)) HTTP/1.1\r\n", 414),
            ("GET / HTTP/1.1\r\nA: " + String(repeating: "a", count: 17000), 431),
            ("GET / HTTP/1.1\r\nHost: localhost\r\n" + String(repeating: "A: b\r\n", count: 100) + "\r\n", 431),
            ("GET / HTTP/1.1\r\nHost: localhost\r\n" + String(repeating: "A: b\r\n", count: 99) + "\r\n", 200),
            // Not complete yet.
            ("", 0), ("\r\n", 0), ("GE", 0), ("GET", 0), ("GET / HTTP/1.1\r\n", 0), ("GET / HTTP/1.1\r\nA: b\r\n\r", 0),
        ] as [(String, UInt)]
    )
    func verdicts(text: String, status: UInt) { #expect(verdict(text) == status) }

    @Test(
        "on a loopback address has a host that no other site can have",
        arguments: [
            ("localhost", 200), ("LocalHost.:9464", 200), ("app.localhost", 200), ("127.0.0.1:9464", 200),
            ("[::1]:9464", 200),
            ("10.1.2.3", 200), ("my-host", 200), ("MY-HOST:80", 200), ("evil.example", 421),
            ("localhost.evil.example:9464", 421),
            ("evillocalhost", 421), ("127.0.0.1.evil.example", 421), ("my-host.evil.example", 421), ("2130706433", 421),
        ] as [(String, UInt)]
    )
    func hosts(host: String, status: UInt) {
        let text = "GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n"
        #expect(verdict(text, .loopback(as: ["My-Host", "127.0.0.1"])) == status)
        #expect(verdict(text, .every) == 200)
    }

    @Test("gives path and query: decoded, and as it was sent")
    func targets() throws {
        for (target, path, query) in [
            ("/", "/", ""), ("/%6detrics?name[]=%61", "/metrics", "?name[]=%61"), ("/a%3Fb", "/a?b", ""),
            ("http://localhost:9464/metrics?x", "/metrics", "?x"), ("https://localhost", "/", ""),
            ("/?a?b", "/", "?a?b"),
        ] {
            let found = try RequestTarget(target, method: "GET")
            #expect(found.path == path && found.query == query, "\(target)")
        }
    }

    @Test("says whether the connection is kept after it, and whether something may follow that is not read")
    func ends() throws {
        for (lines, isLast, hasBody) in [
            ("GET / HTTP/1.1\r\n", false, false), ("GET / HTTP/1.0\r\n", true, false),
            ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n", false, false),
            ("GET / HTTP/1.1\r\nConnection: a, Close\r\n", true, false),
            ("GET / HTTP/1.1\r\nContent-Length: 0\r\n", false, false),
            ("POST / HTTP/1.1\r\nContent-Length: 10\r\n", true, true),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", true, true), ("CONNECT a:1 HTTP/1.1\r\n", true, true),
            ("GET / HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n", false, false),
        ] {
            let head = try RequestHead(Array("\(lines)Host: localhost\r\n\r\n".utf8)[...])
            let admitted = try RequestGate(hosts: .every).admit(head)
            #expect(admitted.isLast == isLast && admitted.hasBody == hasBody, "\(lines)")
        }
    }

    @Test("is the same however the bytes arrive, and what follows it waits")
    func pieces() throws {
        let first = "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n"
        let second = "\r\nGET /b HTTP/1.1\nHost: localhost\n\n"
        for size in 1...(first + second).utf8.count {
            var buffer = HeadBuffer()
            var targets: [String] = []
            var rest = Array((first + second).utf8)[...]
            while !rest.isEmpty {
                buffer.append(rest.prefix(size))
                rest = rest.dropFirst(size)
                while let head = try buffer.next() { targets.append(try RequestHead(head).target) }
            }
            #expect(targets == ["/a", "/b"] && buffer.isEmpty, "in pieces of \(size)")
        }
    }
}
