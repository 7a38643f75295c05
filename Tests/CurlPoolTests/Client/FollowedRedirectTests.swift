import HTTPPool
import HTTPTypes
import Synchronization
import TestSupport
import Testing

@testable import CurlPool

@Suite("Redirects that are followed")
struct FollowedRedirectTests {
    private func following(_ limit: Int = 10, total: Duration? = nil) -> RequestOptions {
        var options = RequestOptions()
        options.redirects = .follow(limit: limit)
        if let total {
            var timeouts = PoolTimeouts()
            timeouts.total = total
            options.timeouts = RequestTimeouts(timeouts)
        }
        return options
    }

    /// `/7` leads to `/6` and so on; `/0` is there.
    private static func countdown() throws -> ScriptedPeer {
        try ScriptedPeer { connection, _ in
            while let (head, _) = try connection.readRequest() {
                let number = Int(head.split(separator: " ")[1].dropFirst()) ?? 0
                if number == 0 {
                    connection.answer("there")
                } else {
                    connection.redirect(to: "\(number - 1)")
                }
            }
        }
    }

    @Test("A thousand redirects are a thousand and one acquisitions of one connection")
    func thousand() async throws {
        let peer = try Self.countdown()
        try await withPool { pool, journal in
            try await expectAnswer("there", to: get(peer, "/1000"), options: following(1000), from: pool)
            #expect(journal.acquireKinds == [.new] + [AcquireKind](repeating: .reused, count: 1000))
            #expect(peer.connections == 1)
            #expect(journal.levels.connections.idle == 1)
            #expect(journal.levels.requests.total == 0)
        }
    }

    @Test("One more than the limit is an error, and the connection is free again")
    func limit() async throws {
        let peer = try Self.countdown()
        try await withPool(.with { $0.limits.maxConnections = 1 }) { pool, journal in
            let code = await code { _ = try await pool.execute(get(peer, "/4"), body: .none, options: following(3)) }
            #expect(code == .tooManyRedirects)
            #expect(journal.acquireKinds.count == 4)
            try await expectAnswer("there", to: get(peer, "/3"), options: following(3), from: pool)
            #expect(peer.connections == 1)
        }
    }

    @Test("Without being asked for, a redirect is an answer like any other")
    func notFollowed() async throws {
        let peer = try Self.countdown()
        try await withPool { pool, journal in
            try await expectAnswer("gone", status: .found, to: get(peer, "/4"), from: pool)
            #expect(journal.acquireKinds == [.new])
        }
    }

    @Test("Credentials stay behind at another origin, and are there at their own")
    func credentials() async throws {
        let echo: ScriptedPeer.Script = { connection, _ in
            while let (head, body) = try connection.readRequest() {
                connection.answer(head + String(decoding: body, as: UTF8.self))
            }
        }
        let other = try ScriptedPeer(echo)
        let authority = other.authority
        let first = Mutex<[String]>([])
        let peer = try ScriptedPeer { connection, _ in
            while let (head, _) = try connection.readRequest() {
                first.withLock { $0.append(head) }
                connection.redirect(
                    to: head.hasPrefix("POST /old ") ? "/moved" : "http://\(authority)/new",
                    status: 307
                )
            }
        }
        try await withPool { pool, journal in
            var request = post(peer, "/old")
            request.headerFields.append(try .basic(user: "Aladdin", password: "open sesame"))
            request.headerFields[.cookie] = "id=secret"
            request.headerFields[try #require(HTTPField.Name("Host"))] = "catalog.example"
            request.headerFields[.userAgent] = "test"
            let text = try await pool.execute(request, body: "payload", options: following()).text
            let heads = first.withLock { $0 }
            #expect(heads.count == 2)
            for head in heads {
                #expect(head.contains("\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"))
                #expect(head.contains("\r\nCookie: id=secret\r\n"))
                #expect(head.contains("\r\nHost: catalog.example\r\n"))
            }
            #expect(text.hasPrefix("POST /new HTTP/1.1\r\n"))
            #expect(text.contains("\r\nHost: \(authority)\r\n"))
            #expect(text.contains("\r\nUser-Agent: test\r\n"))
            #expect(!text.contains("Authorization") && !text.contains("Cookie"))
            #expect(text.hasSuffix("\r\n\r\npayload"))
            #expect(journal.acquireKinds == [.new, .reused, .new])
        }
    }

    @Test("303 after a POST is asked for with GET, without the body and what describes it")
    func seeOther() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while let (head, body) = try connection.readRequest() {
                if head.hasPrefix("POST") {
                    connection.redirect(to: "/made?id=1", status: 303)
                } else {
                    connection.answer(head + String(decoding: body, as: UTF8.self))
                }
            }
        }
        try await withPool { pool, _ in
            var request = post(peer)
            request.headerFields[.contentType] = "text/plain"
            let text = try await pool.execute(request, body: "payload", options: following()).text
            #expect(text.hasPrefix("GET /made?id=1 HTTP/1.1\r\n"))
            #expect(text.hasSuffix("\r\n\r\n"))
            #expect(!text.lowercased().contains("content-"))
        }
    }

    @Test("The total timeout covers all hops together, and the error says the whole of it", .timeLimit(.minutes(1)))
    func total() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil { connection.redirect(to: "/again") }
        }
        try await withPool { pool, _ in
            // With a timeout for each hop of its own this would go on for ever.
            let options = following(.max, total: .milliseconds(300))
            let error = try await #require(throws: PoolError.self) {
                try await pool.execute(get(peer), body: .none, options: options)
            }
            #expect(error.code == .totalTimeout)
            let limit = PoolError.Limit(setting: .totalTimeout, value: .duration(.milliseconds(300)), source: .code)
            #expect(error.limit == limit)
            #expect(error.elapsed ?? .zero >= .milliseconds(300))
        }
    }

    @Test("A cancelled task ends at whatever hop it is")
    func cancelled() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil { connection.redirect(to: "/again") }
        }
        try await withPool { pool, journal in
            let task = Task { try await pool.execute(get(peer), body: .none, options: following(.max)) }
            try await eventually("some hops are done") { journal.acquireKinds.count > 10 }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            try await eventually("nothing is left") { journal.levels.requests.total == 0 }
        }
    }
}

extension ScriptedPeer.Connection {
    fileprivate func redirect(to location: String, status: Int = 302) {
        write("HTTP/1.1 \(status) Elsewhere\r\nLocation: \(location)\r\nContent-Length: 4\r\n\r\ngone")
    }
}
