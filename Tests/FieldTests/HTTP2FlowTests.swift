import CurlPool
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// Windows and bodies of HTTP/2: closed, negative, lost, and floods of frames (RFC 9113, 6.9).
@Suite("HTTP/2 flow")
struct HTTP2FlowTests {
    // RFC 9113, 6.9.
    @Test("A window that never opens again is a write timeout", arguments: [0, 65_535])
    func starvedWindow(initial: Int) async throws {
        try await withHTTP2Peer(
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
            let body = HTTPRequestBody.bytes([UInt8](repeating: 0x78, count: 1 << 20))
            let error = try await poolError { _ = try await client.fetch(peer.request(method: .post), body: body) }
            #expect(error.code == .writeTimeout, "\(error)")
            #expect(try await client.fetch(peer.request()).status == 204)
            try await eventually("nothing is in flight") { client.reading().levels.requests.inFlight == 0 }
        }
    }

    // RFC 9113, 6.9.2: a window can be negative.
    @Test("The window shrinks below nothing, and the upload waits until it is open again")
    func negativeWindow() async throws {
        try await withHTTP2Peer(
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
            let body = HTTPRequestBody.bytes([UInt8](repeating: 0x78, count: 500_000))
            let response = try await client.fetch(peer.request(method: .post), body: body)
            #expect(response.text == "500000")
            #expect(peer.notes.isEmpty)
            try await client.becomes(idle: 1)
        }
    }

    // RFC 9113, 8.1; curl/curl #10433.
    @Test("The head comes early, and the upload goes on to its end")
    func earlyHead() async throws {
        try await withHTTP2Peer(
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
                let body = HTTPRequestBody.bytes([UInt8](repeating: 0x78, count: 1 << 20))
                let response = try await client.fetch(peer.request(method: .post), body: body)
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
        try await withHTTP2Peer(
            """
            def ignore(c):
                try:
                    while c.tls.recv(65536): pass
                except OSError: pass
            def play(c, number):
                s = c.request()
                note("request")
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
                let response = try await client.fetch(peer.request())
                let retries = try client.onlyOrigin.staleRetries
                #expect(response.status == 204 && retries == 1)
            } catch let error as PoolError {
                #expect(
                    [.totalTimeout, .readTimeout, .connectionLost, .invalidResponse].contains(error.code),
                    "\(error)"
                )
            }
            #expect(peer.count("request") > 0)
            try await eventually("nothing is in flight") { client.reading().levels.requests.inFlight == 0 }
        }
    }

    // RFC 9113, 6.9; square/okhttp #3915.
    @Test("Responses that are given up half-way do not use up the connection's window")
    func cancelledStreams() async throws {
        try await withHTTP2Peer(
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
                let response = try await client.execute(peer.request())
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

    @Test(
        "Frames of the connection are no bytes of the response, the first one of a connection included",
        arguments: [
            "c.send(PING, 0, 0, b'12345678')", "c.credit(0, 1)", "c.send(SETTINGS, 0, 0)", "c.send(99, 0, 0, b'x')",
        ]
    )
    func connectionFrames(frame: String) async throws {
        let script = """
            def play(c, number):
                c.request()
                while True:
                    \(frame)
                    time.sleep(0.1)
            """
        try await withHTTP2Peer(script) {
            $0.timeouts.read = .milliseconds(500)
        } _: { client, peer in
            let error = try await poolError { _ = try await client.fetch(peer.request()) }
            #expect(error.code == .readTimeout, "\(error)")
        }
    }
}
