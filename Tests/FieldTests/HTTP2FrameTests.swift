import CurlPool
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// HTTP/2 connections whose peer changes its mind: settings, GOAWAY, resets, stray frames (RFC 9113).
@Suite("HTTP/2 frames")
struct HTTP2FrameTests {
    // RFC 9113, 5.1.2 and 6.5.2; httpwg/http2-spec #335.
    @Test("A peer that allows no stream at first: requests wait, and go on when it does")
    func noStreamsAtFirst() async throws {
        try await withHTTP2Peer(
            """
            def hello(c):
                c.send(SETTINGS, 0, 0, setting(3, 0))
            def raise_later(c):
                time.sleep(0.5)
                c.send(SETTINGS, 0, 0, setting(3, 10))
            def play(c, number):
                note("connection")
                threading.Thread(target=raise_later, args=(c,), daemon=True).start()
                while True:
                    c.headers(c.request(), 204)
            """
        ) { client, peer in
            let callers = (0..<5).map { _ in Task { try await client.fetch(peer.request()).status } }
            for caller in callers { #expect(try await caller.value == 204) }
            // Some versions of libcurl take no request for a connection that allows no stream, and it is closed.
            try await eventually("no request is on a connection") { client.reading().levels.connections.active == 0 }
            #expect(client.reading().levels.connections.idle <= peer.count("connection"))
        }
    }

    @Test("A peer that never allows a stream: requests fail within their time, and cost no connection each")
    func noStreamsEver() async throws {
        try await withHTTP2Peer(
            """
            def hello(c):
                c.send(SETTINGS, 0, 0, setting(3, 0))
            def play(c, number):
                note("connection")
                while True:
                    stream = c.request()
                    note("request")
                    c.reset(stream, 7)
            """
        ) {
            $0.timeouts.total = .seconds(2)
        } _: { client, peer in
            let callers = (0..<5).map { _ in Task { try await poolError { _ = try await client.fetch(peer.request()) } }
            }
            for caller in callers {
                let error = try await caller.value
                #expect([.totalTimeout, .connectionLost, .readTimeout].contains(error.code), "\(error)")
            }
            #expect((1...8).contains(peer.count("connection")), "\(peer.notes)")
        }
    }

    // RFC 9113, 6.5.2: lowered while more are open; those go on.
    @Test("The number of streams is lowered while more are open")
    func loweredStreams() async throws {
        try await withHTTP2Peer(
            """
            def hello(c):
                c.send(SETTINGS, 0, 0, setting(3, 100))
            def play(c, number):
                note("connection")
                c.headers(c.request(), 204)
                streams = [c.request() for _ in range(5)]
                c.send(SETTINGS, 0, 0, setting(3, 1))
                for stream in streams:
                    c.headers(stream, 204)
                opened = 0
                while True:
                    stream = c.request()
                    time.sleep(0.02)
                    c.headers(stream, 204)
            """
        ) {
            $0.limits.maxConnections = 1
        } _: { client, peer in
            #expect(try await client.fetch(peer.request()).status == 204)
            for count in [5, 6] {
                let callers = (0..<count).map { _ in Task { try await client.fetch(peer.request()).status } }
                for caller in callers { #expect(try await caller.value == 204) }
            }
            try await client.becomes(idle: 1)
            let origin = try client.onlyOrigin
            #expect(origin.connectionsOpened == 1)
        }
    }

    // RFC 9113, 6.8 and 8.7; dotnet/corefx #39013.
    @Test(
        "GOAWAY in the middle of the streams: those above its number go on elsewhere, or fail where they may not be repeated"
    )
    func goAwaySplits() async throws {
        try await withHTTP2Peer(
            """
            def play(c, number):
                if number > 0:
                    while True:
                        note("second")
                        c.headers(c.request(), 204)
                c.headers(c.request(), 204)
                streams = [c.request() for _ in range(4)]
                c.goaway(streams[1])
                time.sleep(0.1)
                c.headers(streams[1], 204)
                c.headers(streams[0], 204)
                c.drain()
            """
        ) { client, peer in
            #expect(try await client.fetch(peer.request()).status == 204)
            let callers = (0..<4).map { number in
                Task {
                    let isPost = number.isMultiple(of: 2)
                    let post = peer.request("/\(number)", method: isPost ? .post : .get)
                    do {
                        return try await client.fetch(post, body: isPost ? "hello" : .none).status
                    } catch let error as PoolError where isPost && error.code == .connectionLost {
                        // libcurl does not say that the peer did not process it.
                        return 204
                    }
                }
            }
            for caller in callers { #expect(try await caller.value == 204) }
            let origin = try client.onlyOrigin
            #expect(origin.acquires.total >= 5)
        }
    }

    // RFC 9113, 5.4.1; swift-server/async-http-client #660.
    @Test("GOAWAY with an error and then silence: the request ends within its time", arguments: [0, 1, 11])
    func goAwayThenSilence(code: Int) async throws {
        try await withHTTP2Peer(
            """
            def play(c, number):
                stream = c.request()
                if number > 0:
                    c.headers(stream, 204)
                    c.drain()
                c.goaway(stream, \(code))
                c.drain()
            """
        ) {
            $0.limits.maxConnections = 1
            $0.timeouts.read = .seconds(1)
        } _: { client, peer in
            let error = try await poolError { _ = try await client.fetch(peer.request()) }
            #expect([.readTimeout, .connectionLost].contains(error.code), "\(error)")
            #expect(try await client.fetch(peer.request()).status == 204)
            let origin = try client.onlyOrigin
            #expect(origin.connectionsOpened == 2)
        }
    }

    // RFC 9113, 5.1, 5.5 and 6.9; hyperium/h2 #312.
    @Test("Frames for streams that have ended, and of unknown kinds, harm nobody")
    func strayFrames() async throws {
        try await withHTTP2Peer(
            """
            def play(c, number):
                note("connection")
                while True:
                    s = c.request()
                    c.send(0xfe, 0xff, 0, b"unknown")
                    c.send(0xfe, 0xff, s, b"unknown")
                    c.send(10, 0, 0, struct.pack(">H", 3) + b"a.b" + b'h2=":1"')
                    c.headers(s, 200, {}, False)
                    c.data(s, b"ok")
                    c.credit(s, 1000)
                    c.reset(s, 0)
                    c.send(2, 0, s, struct.pack(">IB", 0, 1))
                    c.send(PING, 0, 0, bytes(8))
            """
        ) { client, peer in
            for _ in 0..<20 { #expect(try await client.fetch(peer.request()).text == "ok") }
            try await client.becomes(idle: 1)
            let origin = try client.onlyOrigin
            #expect(origin.connectionsOpened == 1)
            #expect(origin.acquires[.reused] == 19)
        }
    }

    // RFC 9113, 8.1.1; nodejs/undici #5816.
    @Test(
        "A body that is not as long as its head says is an error of its stream alone",
        arguments: [
            "c.headers(s, 200, {'content-length': '10'})",
            "c.headers(s, 200, {'content-length': '10'}, False); c.data(s, b'hello')",
            "c.headers(s, 200, {'content-length': '2'}, False); c.data(s, b'hello')",
            "c.headers(s, 200, {'content-length': '+5'}, False); c.data(s, b'hello')",
            "c.headers(s, 200, {}, False); c.data(s, b'hello', False); c.reset(s, 2)",
            "c.headers(s, 100)",
        ]
    )
    func wrongLength(response: String) async throws {
        try await withHTTP2Peer(
            """
            def play(c, number):
                other = c.request()
                c.headers(other, 200, {}, False)
                s = c.request()
                \(response)
                time.sleep(0.2)
                c.data(other, b"other")
                while True:
                    c.headers(c.request(), 204)
            """
        ) { client, peer in
            let other = try await client.execute(peer.request("/other"))
            let error = try await poolError { _ = try await client.fetch(peer.request()) }
            #expect([.invalidResponse, .connectionLost].contains(error.code), "\(error)")
            #expect(try await String(decoding: other.body.collect(), as: UTF8.self) == "other")
            #expect(try await client.fetch(peer.request("/after")).status == 204)
            try await client.becomes(idle: 1)
            let origin = try client.onlyOrigin
            #expect(origin.connectionsOpened == 1)
        }
    }
}
