import CurlPool
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// HTTP/2 connections whose peer changes its mind: settings, GOAWAY, resets, windows, stray frames (RFC 9113).
@Suite("HTTP/2 frames")
struct HTTP2FrameTests {
    private func withPeer(
        _ script: String,
        _ change: (inout PoolConfiguration) -> Void = { _ in },
        sourceLocation: SourceLocation = #_sourceLocation,
        _ body: (InstrumentedClient, HTTP2Peer) async throws -> Void
    ) async throws {
        let certificates = try await TestCertificates()
        let peer = try await HTTP2Peer(try await certificates.signed(), script)
        let configure: (inout PoolConfiguration) -> Void = {
            $0.transport.http2 = .negotiated
            $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
            $0.timeouts.read = .seconds(5)
            $0.timeouts.total = .seconds(15)
            change(&$0)
        }
        try await withMeasuredPool(configure, sourceLocation: sourceLocation) { client in try await body(client, peer) }
    }

    private func request(
        _ peer: HTTP2Peer,
        _ path: String = "/",
        method: HTTPRequest.Method = .get
    ) -> HTTPRequest {
        .to(peer.authority, path, method: method, scheme: "https")
    }

    // RFC 9113, 5.1.2 and 6.5.2; eclipse/jetty #6670.
    @Test("A peer that allows no stream at first: requests wait, and go on when it does")
    func noStreamsAtFirst() async throws {
        try await withPeer(
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
            let callers = (0..<5).map { _ in Task { try await client.fetch(request(peer)).status } }
            for caller in callers { #expect(try await caller.value == 204) }
            try await client.becomes(idle: peer.count("connection"))
        }
    }

    @Test("A peer that never allows a stream: requests fail within their time, and cost no connection each")
    func noStreamsEver() async throws {
        try await withPeer(
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
            let callers = (0..<5).map { _ in Task { try await poolError { _ = try await client.fetch(request(peer)) } }
            }
            for caller in callers {
                let error = try await caller.value
                #expect([.totalTimeout, .connectionLost, .readTimeout].contains(error.code), "\(error)")
            }
            #expect(peer.count("connection") <= 8, "\(peer.notes)")
        }
    }

    // RFC 9113, 6.5.2: lowered while more are open; those go on.
    @Test("The number of streams is lowered while more are open")
    func loweredStreams() async throws {
        try await withPeer(
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
            #expect(try await client.fetch(request(peer)).status == 204)
            for count in [5, 6] {
                let callers = (0..<count).map { _ in Task { try await client.fetch(request(peer)).status } }
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
        try await withPeer(
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
            #expect(try await client.fetch(request(peer)).status == 204)
            let callers = (0..<4).map { number in
                Task {
                    let isPost = number.isMultiple(of: 2)
                    let post = request(peer, "/\(number)", method: isPost ? .post : .get)
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

    // RFC 9113, 5.4.1; apple's async-http-client #660.
    @Test("GOAWAY with an error and then silence: the request ends within its time", arguments: [0, 1, 11])
    func goAwayThenSilence(code: Int) async throws {
        try await withPeer(
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
            let error = try await poolError { _ = try await client.fetch(request(peer)) }
            #expect([.readTimeout, .connectionLost].contains(error.code), "\(error)")
            #expect(try await client.fetch(request(peer)).status == 204)
            let origin = try client.onlyOrigin
            #expect(origin.connectionsOpened == 2)
        }
    }

    // RFC 9113, 6.9.
    @Test("A window that never opens again is a write timeout", arguments: [0, 65_535])
    func starvedWindow(initial: Int) async throws {
        try await withPeer(
            """
            def hello(c):
                c.send(SETTINGS, 0, 0, setting(4, \(initial)))
            def play(c, number):
                # The upload is not answered, and its connection not used again: it has never brought a response.
                if number == 0:
                    c.request()
                while True:
                    frame = c.next()
                    if frame[0] == HEADERS:
                        c.headers(frame[2], 204)
                    elif frame[0] == RST:
                        note("reset")
            """
        ) {
            $0.timeouts.write = .seconds(1)
            $0.timeouts.read = .seconds(10)
        } _: { client, peer in
            let body = RequestBody.bytes([UInt8](repeating: 0x78, count: 1 << 20))
            let error = try await poolError { _ = try await client.fetch(request(peer, method: .post), body: body) }
            #expect(error.code == .writeTimeout, "\(error)")
            #expect(try await client.fetch(request(peer)).status == 204)
            try await eventually("nothing is in flight") { client.reading().levels.requests.inFlight == 0 }
        }
    }

    // RFC 9113, 6.9.2: a window can be negative.
    @Test("The window shrinks below nothing, and the upload waits until it is open again")
    func negativeWindow() async throws {
        try await withPeer(
            """
            def play(c, number):
                stream = c.request()
                got = 0
                while got < 65535:
                    got += len(c.until(DATA)[3])
                c.send(SETTINGS, 0, 0, setting(4, 10))
                c.credit(0, 1 << 20)
                for _ in range(40):
                    c.credit(stream, 1000)
                c.send(PING, 0, 0, bytes(8))
                while True:
                    frame = c.next()
                    if frame[0] == DATA and frame[3]:
                        note("too early")
                    if frame[0] == PING:
                        break
                c.credit(stream, 1 << 20)
                while True:
                    frame = c.until(DATA)
                    got += len(frame[3])
                    if frame[1] & 1:
                        break
                c.headers(stream, 200, {}, False)
                c.data(stream, str(got).encode())
                c.drain()
            """
        ) { client, peer in
            let body = RequestBody.bytes([UInt8](repeating: 0x78, count: 500_000))
            let response = try await client.fetch(request(peer, method: .post), body: body)
            #expect(response.text == "500000")
            #expect(peer.notes.isEmpty)
            try await client.becomes(idle: 1)
        }
    }

    // RFC 9113, 8.1; curl #10433.
    @Test("The head comes early, and the upload goes on to its end")
    func earlyHead() async throws {
        try await withPeer(
            """
            def play(c, number):
                while True:
                    stream = c.request()
                    got = len(c.until(DATA)[3])
                    c.headers(stream, 200, {}, False)
                    c.credit(0, 4 << 20)
                    c.credit(stream, 4 << 20)
                    while True:
                        frame = c.until(DATA)
                        got += len(frame[3])
                        if frame[1] & 1:
                            break
                    c.data(stream, str(got).encode())
            """
        ) { client, peer in
            for _ in 0..<2 {
                let body = RequestBody.bytes([UInt8](repeating: 0x78, count: 1 << 20))
                let response = try await client.fetch(request(peer, method: .post), body: body)
                #expect(response.text == "1048576")
            }
            let origin = try client.onlyOrigin
            #expect(origin.connectionsOpened == 1)
        }
    }

    // CVE-2019-9512, CVE-2024-27316 and their like (RFC 9113, 10.5).
    @Test(
        "Floods of frames end with an error, with the request's time, or on the next connection",
        arguments: [
            "c.send(PING, 0, 0, bytes(8))", "c.send(SETTINGS, 0, 0, setting(4, 65535))",
            "c.send(CONTINUATION, 0, s, literal('x', 'y' * 100))", "c.send(DATA, 0, s, b'')",
            "c.send(0xfe, 0, 0, bytes(100))",
        ]
    )
    func floods(frame: String) async throws {
        try await withPeer(
            """
            def ignore(c):
                try:
                    while c.tls.recv(65536): pass
                except OSError: pass
            def play(c, number):
                s = c.request()
                if number > 0:
                    c.headers(s, 204)
                    c.drain()
                if "CONTINUATION" in \"\"\"\(frame)\"\"\":
                    c.send(HEADERS, 0, s, c.block(200))
                elif "DATA" in \"\"\"\(frame)\"\"\":
                    c.headers(s, 200, {}, False)
                while True:
                    \(frame)
            """
        ) {
            $0.limits.maxConnections = 1
            $0.timeouts.read = .seconds(1)
            $0.timeouts.total = .seconds(4)
        } _: { client, peer in
            do {
                // libcurl may end the connection before a response began. Then the request is sent once more.
                let response = try await client.fetch(request(peer))
                let retries = try client.onlyOrigin.staleRetries
                #expect(response.status == 204 && retries == 1)
            } catch let error as PoolError {
                #expect(
                    [.totalTimeout, .readTimeout, .connectionLost, .invalidResponse].contains(error.code),
                    "\(error)"
                )
            }
            try await eventually("nothing is in flight") { client.reading().levels.requests.inFlight == 0 }
        }
    }

    // RFC 9113, 5.1, 5.5 and 6.9; hyperium/h2 #312.
    @Test("Frames for streams that have ended, and of unknown kinds, harm nobody")
    func strayFrames() async throws {
        try await withPeer(
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
            for _ in 0..<20 { #expect(try await client.fetch(request(peer)).text == "ok") }
            try await client.becomes(idle: 1)
            let origin = try client.onlyOrigin
            #expect(origin.connectionsOpened == 1)
            #expect(origin.acquires[.reused] == 19)
        }
    }

    // RFC 9113, 6.9; square/okhttp #3915.
    @Test("Responses that are given up half-way do not use up the connection's window")
    func cancelledStreams() async throws {
        try await withPeer(
            """
            def play(c, number):
                note("connection")
                owed = {}
                while True:
                    frame = c.next()
                    if frame[0] == RST:
                        note("reset")
                    if frame[0] != HEADERS:
                        continue
                    s = frame[2]
                    c.headers(s, 200, {}, False)
                    # As much as the stream's own window lets through, and never its end, but for the last.
                    for _ in range(60):
                        if c.window < 16384:
                            note("the window is used up")
                            break
                        c.window -= 1000
                        c.data(s, b"x" * 1000, False)
                    if number == 0 and len(owed) >= 300:
                        c.data(s, b"", True)
                    owed[s] = True
            """
        ) { client, peer in
            for number in 0..<301 {
                let response = try await client.execute(request(peer))
                if number == 300 {
                    #expect(try await response.body.collect().count == 60_000)
                } else {
                    var iterator = response.body.makeAsyncIterator()
                    _ = try await iterator.next()
                    response.body.discard()
                }
            }
            try await eventually("nothing is in flight") { client.reading().levels.requests.inFlight == 0 }
            let origin = try client.onlyOrigin
            #expect(origin.connectionsOpened == 1, "\(Set(peer.notes))")
        }
    }

    // RFC 9113, 8.1.1; undici PR #5816.
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
        try await withPeer(
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
            let other = try await client.execute(request(peer, "/other"))
            let error = try await poolError { _ = try await client.fetch(request(peer)) }
            #expect([.invalidResponse, .connectionLost].contains(error.code), "\(error)")
            #expect(try await String(decoding: other.body.collect(), as: UTF8.self) == "other")
            #expect(try await client.fetch(request(peer, "/after")).status == 204)
            try await client.becomes(idle: 1)
            let origin = try client.onlyOrigin
            #expect(origin.connectionsOpened == 1)
        }
    }
}
