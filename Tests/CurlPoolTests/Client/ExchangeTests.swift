import HTTPPool
import HTTPTypes
import TestSupport
import Testing

@testable import CurlPool

@Suite("Requests and answers")
struct ExchangeTests {
    /// Answers with what came: the head in the body.
    private static func echo() throws -> ScriptedPeer {
        try ScriptedPeer { connection, _ in
            while let (head, body) = try connection.readRequest() {
                let text = head.hasPrefix("HEAD") ? "" : head + String(decoding: body, as: UTF8.self)
                connection.answer(text, headers: "X-Multi: one\r\nX-Multi: two\r\nX-Empty:\r\n")
            }
        }
    }

    @Test("Status, fields and body come back; the connection is used again")
    func answer() async throws {
        let peer = try Self.echo()
        try await withPool { pool, journal in
            for _ in 0..<3 {
                let response = try await pool.execute(get(peer, "/path?query=1"))
                #expect(response.status == .ok)
                let multi = try #require(HTTPField.Name("x-multi"))
                let empty = try #require(HTTPField.Name("x-empty"))
                #expect(response.head.headerFields[values: multi] == ["one", "two"])
                #expect(response.head.headerFields[empty] == "")
                let text = try await response.text
                #expect(text.hasPrefix("GET /path?query=1 HTTP/1.1\r\n"))
            }
            #expect(peer.connections == 1)
            #expect(journal.acquireKinds == [.new, .reused, .reused])
            #expect(journal.levels.connections.idle == 1)
        }
    }

    @Test("Each method is sent as it is, and none leaves a trace on the next request of its connection")
    func methods() async throws {
        let peer = try Self.echo()
        try await withPool { pool, _ in
            var request = get(peer)
            for method in [HTTPRequest.Method.post, .get, .put, .head, .delete, .patch, .options, .get] {
                request.method = method
                let hasBody = method == .post || method == .put || method == .patch
                let response = try await pool.execute(request, body: hasBody ? "payload" : .none)
                let text = try await response.text
                if method == .head {
                    #expect(text.isEmpty)
                    continue
                }
                #expect(text.hasPrefix("\(method.rawValue) / HTTP/1.1\r\n"))
                #expect(text.hasSuffix(hasBody ? "\r\n\r\npayload" : "\r\n\r\n"), "\(method)")
                #expect(text.lowercased().contains("content-length: 7") == hasBody)
            }
            #expect(peer.connections == 1)
        }
    }

    @Test("A method that carries a body says so when the body is empty")
    func emptyPost() async throws {
        let peer = try Self.echo()
        try await withPool { pool, _ in
            let text = try await pool.execute(post(peer)).text
            #expect(text.lowercased().contains("content-length: 0\r\n"))
            #expect(!text.lowercased().contains("transfer-encoding"))
        }
    }

    @Test("A large body arrives whole, without waiting for 100-continue")
    func largeBody() async throws {
        let peer = try ScriptedPeer { connection, _ in
            guard let (head, body) = try connection.readRequest() else { return }
            let sum = body.reduce(into: 0) { $0 = ($0 &* 31 &+ Int($1)) & 0xffff_ffff }
            connection.answer("\(body.count) \(sum) \(head.lowercased().contains("expect:"))")
        }
        let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
        let sum = body.reduce(into: 0) { $0 = ($0 &* 31 &+ Int($1)) & 0xffff_ffff }
        try await withPool { pool, _ in
            let text = try await pool.execute(post(peer), body: .bytes(body)).text
            #expect(text == "3000000 \(sum) false")
        }
    }

    @Test("Fields are sent, an empty one too")
    func sentFields() async throws {
        let peer = try Self.echo()
        try await withPool { pool, _ in
            var request = get(peer)
            request.headerFields[try #require(HTTPField.Name("X-Empty"))] = ""
            request.headerFields[try #require(HTTPField.Name("X-Full"))] = "a: b; c"
            let text = try await pool.execute(request).text
            #expect(text.contains("\r\nX-Empty:\r\n"))
            #expect(text.contains("\r\nX-Full: a: b; c\r\n"))
        }
    }

    @Test("1xx answers are passed over, trailers are not mistaken for fields")
    func interimAnswersAndTrailers() async throws {
        let peer = try ScriptedPeer { connection, _ in
            guard try connection.readRequest() != nil else { return }
            for _ in 0..<50 { connection.write("HTTP/1.1 103 Early Hints\r\nX-Early: yes\r\n\r\n") }
            connection.write(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Late: yes\r\n\r\n"
            )
            connection.waitForEnd()
        }
        try await withPool { pool, journal in
            let response = try await pool.execute(get(peer))
            #expect(response.head.headerFields[try #require(HTTPField.Name("x-early"))] == nil)
            #expect(response.head.headerFields[try #require(HTTPField.Name("x-late"))] == nil)
            let text = try await response.text
            #expect(text == "abc")
            #expect(journal.levels.connections.idle == 1)
        }
    }

    @Test("An endless header block is an error")
    func endlessHeader() async throws {
        let peer = try ScriptedPeer { connection, _ in
            guard try connection.readRequest() != nil else { return }
            connection.write("HTTP/1.1 200 OK\r\n")
            for number in 0..<20_000 { connection.write("X-\(number): \(String(repeating: "y", count: 80))\r\n") }
        }
        try await withPool { pool, journal in
            let code = await code { _ = try await pool.execute(get(peer)) }
            #expect(code == .invalidResponse)
            #expect(journal.levels.connections.total == 0)
        }
    }

    @Test("An answer that is not HTTP is an error")
    func notHTTP() async throws {
        let peer = try ScriptedPeer { connection, _ in
            guard try connection.readRequest() != nil else { return }
            connection.write("SSH-2.0-OpenSSH_9.2\r\n")
        }
        try await withPool { pool, _ in
            let code = await code { _ = try await pool.execute(get(peer)) }
            #expect(code == .invalidResponse || code == .connectionLost)
            #expect(peer.connections == 1)
        }
    }

    @Test(
        "What cannot be sent is refused before anything is sent, and the words repeat nothing of it",
        arguments: [
            ("ftp", "127.0.0.1", "/"), ("http", "", "/"), ("http", "user:secret@127.0.0.1", "/"),
            ("http", "127.0.0.1:secret", "/"), ("http", "127.0.0.1:0", "/"), ("http", "127.0.0.1:65536", "/"),
            ("http", "exa mple", "/"), ("http", "127.0.0.1", "secret"), ("http", "127.0.0.1", "/se cret"),
            ("http", "127.0.0.1/secret", "/"), ("http", "127.0.0.1?secret", "/"), ("http", "[::1", "/"),
        ]
    )
    func refused(scheme: String, authority: String, path: String) async throws {
        try await withPool { pool, journal in
            let request = HTTPRequest(method: .get, scheme: scheme, authority: authority, path: path)
            do {
                _ = try await pool.execute(request)
                Issue.record("it was sent")
            } catch let error as PoolError {
                #expect(error.code == .invalidRequest)
                #expect(!"\(error)".contains("secret"))
            }
            #expect(journal.events.isEmpty)
        }
    }

    @Test("An address that only libcurl finds wrong is refused, and leaves no trace on the next request")
    func unreadable() async throws {
        let peer = try Self.echo()
        try await withPool { pool, journal in
            for _ in 0..<3 {
                let request = HTTPRequest(method: .get, scheme: "http", authority: "[1::2::3]", path: "/secret")
                let error = try await #require(throws: PoolError.self) { _ = try await pool.execute(request) }
                #expect(error.code == .invalidRequest)
                #expect(error.reason == "libcurl does not accept the request's address")
                try await expectAnswer(status: .ok, to: get(peer, "/a"), from: pool)
            }
            #expect(peer.connections == 1)
            #expect(journal.levels.connections.total == 1)
        }
    }

    @Test("Fields that would change the meaning of the message are refused")
    func forbiddenFields() async throws {
        let peer = try Self.echo()
        try await withPool { pool, _ in
            var request = post(peer)
            request.headerFields[.transferEncoding] = "chunked"
            #expect(await code { _ = try await pool.execute(request, body: "abc") } == .invalidRequest)
            request = post(peer)
            request.headerFields[.contentLength] = "2"
            #expect(await code { _ = try await pool.execute(request, body: "abc") } == .invalidRequest)
            request.headerFields[.contentLength] = "3"
            try await expectAnswer(status: .ok, to: request, body: "abc", from: pool)
        }
    }
}
