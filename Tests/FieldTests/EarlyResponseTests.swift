import CurlPool
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// Final responses that come before the request's body has ended (RFC 9110, 10.1.1; RFC 9112, 9.3 and 9.6).
@Suite("Early responses to uploads")
struct EarlyResponseTests {
    /// A body that gives `first` and then nothing, until nobody wants it any more.
    final class EndlessBody: Sendable {
        let cancelled = Counter()

        func body(_ first: Int = 5, length: Int? = nil) -> HTTPRequestBody {
            let (stream, continuation) = AsyncStream<[UInt8]>.makeStream()
            continuation.yield([UInt8](repeating: 0x78, count: first))
            continuation.onTermination = { [cancelled] _ in cancelled.add(1) }
            // The stream ends with its last reference otherwise.
            return .stream(Kept(stream: stream, continuation: continuation), length: length)
        }

        private struct Kept: AsyncSequence, Sendable {
            typealias Element = [UInt8]
            let stream: AsyncStream<[UInt8]>
            let continuation: AsyncStream<[UInt8]>.Continuation
            func makeAsyncIterator() -> AsyncStream<[UInt8]>.Iterator { stream.makeAsyncIterator() }
        }
    }

    /// How a whole response may be framed, and what it brings.
    static let responses: [(head: String, text: String)] = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""),
        ("HTTP/1.1 204 No Content\r\n\r\n", ""),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "ok"),
        ("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno", "no"),
        ("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", ""),
        ("HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", "no"),
    ]

    /// libcurl 8.5.0 does not show that a chunked response is whole. Where the status does not end the upload, a timeout has to.
    private func endIsHidden(_ index: Int, from client: InstrumentedClient) -> Bool {
        index == 3 && client.pool.backend.library.hasPrefix("libcurl/8.5.")
    }

    // scylladb/seastar #3410; swift-server/async-http-client #562.
    @Test(
        "A body that never ends and gives nothing: the response is the caller's, and the connection is closed",
        arguments: responses.indices,
        [nil, 1_000_000]
    )
    func starvedUpload(index: Int, length: Int?) async throws {
        let (response, text) = Self.responses[index]
        let peer = try ScriptedPeer { connection, number in
            guard try connection.readHeadOnly() != nil else { return }
            if number > 0 { return connection.answer("next") }
            _ = connection.waitForMore()
            connection.write(response)
            connection.waitForEnd()
        }
        let source = EndlessBody()
        try await withMeasuredPool {
            $0.limits.maxConnections = 1
            $0.timeouts.read = .seconds(2)
            $0.timeouts.total = .seconds(5)
        } _: { client in
            let body = source.body(length: length)
            if endIsHidden(index, from: client) {
                let error = try await poolError {
                    _ = try await client.fetch(.to(peer.authority, method: .post), body: body)
                }
                #expect(error.code == .readTimeout, "\(error)")
                return
            }
            let early = try await client.fetch(.to(peer.authority, method: .post), body: body)
            #expect(early.text == text)
            #expect("HTTP/1.1 \(early.status)" == response.prefix(12))
            try await client.becomes()
            try await eventually("the body is given up") { source.cancelled.value == 1 }
            let next = try await client.fetch(.to(peer.authority, "/next"))
            #expect(next.text == "next")
            let origin = try client.onlyOrigin
            #expect(origin.acquires.total == 2)
            #expect(origin.connectionsOpened == 2)
        }
    }

    // RFC 9113, 8.1; dotnet/corefx #40513, hyperium/hyper #2872.
    @Test(
        "The same over HTTP/2, where the stream alone ends",
        arguments: [
            "c.headers(s, 200, {'content-length': '2'}, False); c.data(s, b'ok')",
            "c.headers(s, 200, {'content-length': '0'})", "c.headers(s, 204)",
            "c.headers(s, 401, {'content-length': '0'})",
            "c.headers(s, 413, {}, False); c.data(s, b'ok')",
            "c.headers(s, 200, {'content-length': '2'}, False); c.data(s, b'ok'); c.reset(s, 0)",
            "c.headers(s, 403, {}, False); c.data(s, b'ok'); time.sleep(0.2); c.reset(s, 0)",
        ],
        [nil, 1_000_000]
    )
    func starvedStream(response: String, length: Int?) async throws {
        let certificates = try await TestCertificates()
        let peer = try await HTTP2Peer(
            try await certificates.signed(),
            """
            def play(c, number):
                s = c.request()
                c.until(DATA, s)
                \(response)
                s = c.request()
                c.headers(s, 200, {}, False)
                c.data(s, b'next')
                c.drain()
            """
        )
        let source = EndlessBody()
        try await withMeasuredPool {
            $0.transport.http2 = .negotiated
            $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
            $0.timeouts.total = .seconds(5)
        } _: { client in
            let request = HTTPRequest.to(peer.authority, method: .post, scheme: "https")
            let early = try await client.fetch(request, body: source.body(length: length))
            #expect(early.text == (response.contains("ok") ? "ok" : ""))
            try await client.becomes(idle: 1)
            try await eventually("the body is given up") { source.cancelled.value == 1 }
            let next = try await client.fetch(.to(peer.authority, "/next", scheme: "https"))
            #expect(next.text == "next")
            let origin = try client.onlyOrigin
            #expect(origin.acquires[.reused] == 1)
            #expect(origin.connectionsOpened == 1)
        }
    }

    // libcurl 7.88 does not say that a stream has ended whose request has not, so the read timeout has to.
    @Test(
        "Over HTTP/2, a response of unknown length: at the latest the read timeout ends it",
        arguments: [
            "c.headers(s, 200, {}, False); c.data(s, b'')", "c.headers(s, 200)", "c.headers(s, 401)",
            "c.headers(s, 200, {}, False); c.data(s, b'', False)",
        ]
    )
    func starvedStreamOfUnknownLength(response: String) async throws {
        let certificates = try await TestCertificates()
        let peer = try await HTTP2Peer(
            try await certificates.signed(),
            """
            def play(c, number):
                s = c.request()
                c.until(DATA, s)
                \(response)
                c.drain()
            """
        )
        let source = EndlessBody()
        try await withMeasuredPool {
            $0.transport.http2 = .negotiated
            $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
            $0.timeouts.read = .seconds(1)
        } _: { client in
            let request = HTTPRequest.to(peer.authority, method: .post, scheme: "https")
            do {
                let early = try await client.fetch(request, body: source.body())
                #expect(!response.hasSuffix("False)"))
                #expect(early.text.isEmpty)
            } catch let error as PoolError {
                #expect(error.code == .readTimeout, "\(error)")
            }
            try await eventually("the body is given up") { source.cancelled.value == 1 }
            try await eventually("nothing is in flight") { client.reading().levels.requests.inFlight == 0 }
        }
    }

    // golang/go #11745; psf/requests #2422.
    @Test(
        "The peer reads no further: the response is the caller's, and what is left of the body is not waited for",
        arguments: responses.indices,
        [true, false]
    )
    func unreadUpload(index: Int, isStream: Bool) async throws {
        let (response, text) = Self.responses[index]
        let peer = try ScriptedPeer { connection, number in
            guard try connection.readHeadOnly() != nil else { return }
            if number > 0 { return connection.answer("next") }
            connection.write(response)
            connection.waitForEndUnread()
        }
        let count = 32 << 20
        try await withMeasuredPool {
            $0.limits.maxConnections = 1
            $0.timeouts.total = .seconds(10)
        } _: { client in
            let bytes = [UInt8](repeating: 0x78, count: count)
            let body: HTTPRequestBody = isStream ? EndlessBody().body(count) : .bytes(bytes)
            if endIsHidden(index, from: client) {
                let error = try await poolError {
                    _ = try await client.fetch(.to(peer.authority, method: .post), body: body)
                }
                #expect([.readTimeout, .totalTimeout].contains(error.code), "\(error)")
                return
            }
            let early = try await client.fetch(.to(peer.authority, method: .post), body: body)
            #expect(early.text == text)
            #expect("HTTP/1.1 \(early.status)" == response.prefix(12))
            try await client.becomes()
            let next = try await client.fetch(.to(peer.authority, "/next"))
            #expect(next.text == "next")
            let origin = try client.onlyOrigin
            #expect(origin.connectionsOpened == 2)
        }
    }

    // libcurl then reads it in the call in which it begins to send, and waits for the same events before and after.
    @Test(
        "A response that is there before the request has left: it is the caller's, and the body is not waited for",
        arguments: [0, 3, 4]
    )
    func hastyResponse(index: Int) async throws {
        let (response, text) = Self.responses[index]
        let port = try SharedPort()
        // Connects, once somebody listens, no earlier than the kernel tries again.
        var hole: FullBacklog? = try port.blackHole(1)
        let responded = Counter()
        try await withMeasuredPool {
            $0.limits.maxConnections = 1
            $0.timeouts.total = .seconds(30)
        } _: { client in
            let executor = try #require(client.pool.executor)
            let bytes = [UInt8](repeating: 0x78, count: 32 << 20)
            let authority = "127.0.0.1:\(port.number)"
            let fetched = Task { try await client.fetch(.to(authority, method: .post), body: .bytes(bytes)) }
            try await client.becomes(connecting: 1)
            let isHeld = Counter()
            let hold = Task(executorPreference: executor) {
                isHeld.add(1)
                try waitOnThread("the peer has responded") { responded.value > 0 }
            }
            try await eventually("the pool's thread is held") { isHeld.value == 1 }
            withExtendedLifetime(hole) {}
            hole = nil
            let peer = try ScriptedPeer(port: port.number) { connection, number in
                if number > 0, try connection.readHeadOnly() != nil { return connection.answer("next") }
                connection.write(response)
                responded.add(1)
                connection.waitForEndUnread()
            }
            try await hold.value
            if endIsHidden(index, from: client) {
                let error = try await poolError { _ = try await fetched.value }
                #expect([.readTimeout, .totalTimeout].contains(error.code), "\(error)")
                return
            }
            let early = try await fetched.value
            #expect(early.text == text)
            #expect("HTTP/1.1 \(early.status)" == response.prefix(12))
            try await client.becomes()
            let next = try await client.fetch(.to(authority, "/next"))
            #expect(next.text == "next")
            try await peer.stop()
        }
    }

    // RFC 9112, 9.3; square/okhttp #3252, curl/curl #11678.
    @Test(
        "A connection is used again only behind a body that was sent as a whole",
        arguments: ["401 Unauthorized", "200 OK", "307 Temporary Redirect"]
    )
    func nothingInsideTheBody(status: String) async throws {
        let count = 1 << 20
        let wrong = Counter()
        let peer = try ScriptedPeer { connection, _ in
            while let head = try connection.readHeadOnly() {
                if head.hasPrefix("GET ") {
                    connection.answer("next")
                    continue
                }
                connection.write("HTTP/1.1 \(status)\r\nContent-Length: 0\r\n\r\n")
                guard let body = try connection.readBody(of: head) else { return }
                if body.contains(where: { $0 != 0x78 }) { wrong.add(1) }
            }
        }
        try await withMeasuredPool { client in
            for _ in 0..<10 {
                let body = HTTPRequestBody.bytes([UInt8](repeating: 0x78, count: count))
                let early = try await client.fetch(.to(peer.authority, method: .post), body: body)
                #expect("\(early.status)" == status.prefix(3))
                let next = try await client.fetch(.to(peer.authority))
                #expect(next.text == "next")
            }
            #expect(wrong.value == 0)
            let origin = try client.onlyOrigin
            #expect(origin.acquires.total == 20)
        }
    }

    // dotnet/runtime #36717.
    @Test("A body that fails while the server waits for it: the caller's own error, at once", arguments: [false, true])
    func failingSource(expects: Bool) async throws {
        struct Own: Error {}
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readHeadOnly() != nil { connection.waitForEnd() }
        }
        try await withMeasuredPool { client in
            let body = HTTPRequestBody.stream(
                AsyncThrowingStream<[UInt8], any Error> { continuation in
                    continuation.yield([1, 2, 3])
                    continuation.finish(throwing: Own())
                },
                length: 10
            )
            var request = HTTPRequest.to(peer.authority, method: .post)
            if expects { request.headerFields[.expect] = "100-continue" }
            await #expect(throws: Own.self) { _ = try await client.fetch(request, body: body) }
            try await client.becomes()
            let origin = try client.onlyOrigin
            #expect(origin.connectionsOpened == 1)
        }
    }
}
