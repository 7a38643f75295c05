import CurlPool
import HTTPPool
import HTTPTypes
import PoolMetrics
import Synchronization
import TestSupport
import Testing

/// Redirects as peers write them.
@Suite("Redirects in the field")
struct RedirectFieldTests {
    private var following: RequestOptions {
        var options = RequestOptions()
        options.redirects = .follow(limit: 5)
        return options
    }

    /// A peer that answers `/` with these bytes and everything else with its target.
    private static func peer(_ bytes: [UInt8], staysOpen: Bool = false) throws -> ScriptedPeer {
        try ScriptedPeer { connection, _ in
            while let request = try connection.readRequest() {
                let target = request.head.split(separator: " ")[1]
                if target == "/" {
                    guard connection.write(bytes) else { return }
                    if staysOpen { connection.waitForEnd() }
                } else {
                    connection.answer("\(request.head.prefix { $0 != " " }) \(target)")
                }
            }
        }
    }

    // RFC 9110, 10.2.2; RFC 3986, 5.2. dotnet/corefx #32378 (a fragment on the wire).
    @Test(
        "Relative, with a fragment, and with bytes that are not ASCII",
        arguments: [
            ("x#part", "/x"), ("/x?y#part?z", "/x?y"), ("?q#f", "/y?q"), ("/caf\u{e9}", "/caf%C3%A9"),
            ("/a b", "/a%20b"),
            ("./a/../b/.", "/b/"), ("//127.0.0.1:PORT/x#f", "/x"), ("http://127.0.0.1:PORT?q#f", "/?q"),
        ]
    )
    func written(location: String, target: String) async throws {
        let holder = PortHolder()
        let peer = try ScriptedPeer { connection, _ in
            while let request = try connection.readRequest() {
                let asked = request.head.split(separator: " ")[1]
                if asked == "/y" {
                    let place = location.replacing("PORT", with: "\(holder.port)")
                    connection.write("HTTP/1.1 302 Found\r\nLocation: \(place)\r\nContent-Length: 0\r\n\r\n")
                } else {
                    connection.answer(String(asked))
                }
            }
        }
        holder.port = peer.port
        try await withMeasuredPool { client in
            let text = try await client.fetch(.to(peer.authority, "/y"), options: following).text
            #expect(text == target)
            #expect(peer.connections == 1)
            let origin = try client.onlyOrigin
            #expect(origin.acquires.total == 2)
        }
    }

    private final class PortHolder: Sendable {
        private let value = Mutex<UInt16>(0)
        var port: UInt16 {
            get { value.withLock { $0 } }
            set { value.withLock { $0 = newValue } }
        }
    }

    // A byte that is no UTF-8, as it is sent.
    @Test("A byte of another encoding is escaped as it is")
    func latin() async throws {
        let head = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /caf"
        let peer = try Self.peer(Array(head.utf8) + [0xe9] + Array("\r\n\r\n".utf8))
        try await withMeasuredPool { client in
            let text = try await client.fetch(.to(peer.authority), options: following).text
            #expect(text == "GET /caf%E9")
        }
    }

    // RFC 9110, 15.4: it is the head that leads on. swift-server/async-http-client #574 (#580), oven-sh/bun #33613.
    @Test(
        "A body that does not end, or is large, holds nothing up: the redirect is followed at once",
        arguments: [
            "Content-Length: 50\r\n\r\n0123456789", "Content-Length: 50\r\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "\r\nuntil the close",
            "Content-Length: 10000000000\r\n\r\n0123456789",
        ]
    )
    func unendingBody(rest: String) async throws {
        let peer = try Self.peer(
            Array("HTTP/1.1 302 Found\r\nLocation: /x\r\n\(rest)".utf8),
            staysOpen: true
        )
        try await withMeasuredPool {
            $0.limits.maxConnections = 1
            // Only patience would reach this.
            $0.timeouts.read = .seconds(120)
            $0.timeouts.total = .seconds(20)
        } _: { client in
            let text = try await client.fetch(.to(peer.authority), options: following).text
            #expect(text == "GET /x")
            try await client.becomes(idle: 1)
            let origin = try client.onlyOrigin
            #expect(origin.connectionsOpened == 2)
            #expect(origin.connectionsClosed[.requestCancelled] == 1, "\(origin.connectionsClosed)")
        }
        try await peer.stop()
    }

    // RFC 9110, 15.4.8.
    @Test("A loop is ended by the limit, while a body that can be sent again streams, and by 301 without one")
    func loops() async throws {
        for status in [301, 307] {
            let peer = try ScriptedPeer { connection, _ in
                while let head = try connection.readHeadOnly() {
                    if head.lowercased().contains("transfer-encoding: chunked") { _ = try connection.readChunks() }
                    connection.write("HTTP/1.1 \(status) Again\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")
                }
            }
            try await withMeasuredPool { client in
                let body = HTTPRequestBody.replayableStream {
                    AsyncStream { chunks in
                        for _ in 0..<50 { chunks.yield([UInt8](repeating: 1, count: 1000)) }
                        chunks.finish()
                    }
                }
                let request = HTTPRequest.to(peer.authority, method: .post)
                let error = try await poolError {
                    _ = try await client.fetch(request, body: body, options: following)
                }
                #expect(error.code == .tooManyRedirects, "\(error)")
                try await client.becomes(idle: 1)
                let origin = try client.onlyOrigin
                #expect(origin.acquires.total == 6)
                #expect(origin.leases.total == 6)
            }
            try await peer.stop()
        }
    }
}
