import Glibc
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// Responses of HTTP/1.1 that are odd, and right or wrong for a reason.
@Suite("Odd responses")
struct OddResponseTests {
    /// What a client makes of a response that the peer sends on its first connection, and of the next one.
    enum Outcome: Sendable, Equatable {
        /// A response with this status and body. `reused`: whether the next request goes on the same connection; `nil` where
        /// that is open: libcurl throws away what it read behind a response without a body.
        case response(Int, String, reused: Bool?)
        case error([PoolError.Code])
    }

    struct Case: Sendable, CustomStringConvertible {
        let bytes: String
        let outcome: Outcome
        var method = HTTPRequest.Method.get
        /// The peer closes behind it.
        var closes = false
        var description: String { "\(method) \(bytes)" }
    }

    private func run(_ test: Case) async throws {
        let repeated = Counter()
        let peer = try ScriptedPeer { connection, number in
            while let head = try connection.readHeadOnly() {
                if head.contains(" /next ") {
                    connection.answer("next")
                } else {
                    repeated.add(1)
                    connection.write(Array(test.bytes.utf8))
                    if test.closes { return }
                }
            }
        }
        try await withMeasuredPool {
            $0.timeouts.read = .seconds(1)
        } _: { client in
            switch test.outcome {
            case .response(let status, let text, let reused):
                let response = try await client.fetch(.to(peer.authority, method: test.method))
                #expect(response.status == status)
                #expect(response.text == text)
                if let reused { try await client.becomes(idle: reused ? 1 : 0) }
            case .error(let codes):
                let error = try await poolError { _ = try await client.fetch(.to(peer.authority, method: test.method)) }
                #expect(codes.contains(error.code), "\(error)")
                try await client.becomes()
            }
            let next = try await client.fetch(.to(peer.authority, "/next"))
            #expect(next.text == "next")
            #expect(repeated.value == 1)
            let origin = try client.onlyOrigin
            switch test.outcome {
            case .response(_, _, reused: true): #expect(origin.connectionsOpened == 1)
            case .response(_, _, reused: nil): break
            default: #expect(origin.connectionsOpened == 2)
            }
        }
    }

    // RFC 9112, 6.3, item 1; netty/netty #12904.
    @Test(
        "Interim responses are passed over, whatever their fields say",
        arguments: [
            "HTTP/1.1 103 Early Hints\r\nContent-Length: 10\r\n\r\n",
            "HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 102 Processing\r\nContent-Encoding: gzip\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 199 X\r\nKeep-Alive: timeout=0\r\n\r\n",
        ]
    )
    func interims(interim: String) async throws {
        try await run(
            Case(
                bytes: interim + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                outcome: .response(200, "ok", reused: true)
            )
        )
    }

    @Test(
        "White space before the code never makes an interim response the final one",
        arguments: [
            "HTTP/1.1 \t100 Continue\r\n\r\n", "HTTP/1.1\t100 Continue\r\n\r\n", "HTTP/1.1  100 Continue\r\n\r\n",
        ]
    )
    func spacedInterim(interim: String) async throws {
        let peer = try ScriptedPeer { connection, _ in
            guard try connection.readHeadOnly() != nil else { return }
            connection.write(interim + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            connection.waitForEnd()
        }
        try await withMeasuredPool {
            $0.timeouts.read = .seconds(5)
        } _: { client in
            // Some versions of libcurl refuse such a line.
            do {
                let response = try await client.fetch(.to(peer.authority))
                #expect(response.status == 200)
                #expect(response.text == "ok")
            } catch let error as PoolError {
                #expect(error.code == .invalidResponse)
            }
        }
    }

    @Test(
        "What libcurl would put down to something else is the response's fault",
        arguments: [
            // libcurl reads to the end of the connection where the length is beyond 63 bits, and calls that a whole body.
            Case(
                bytes: "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\nhello",
                outcome: .error([.invalidResponse]),
                closes: true
            ),
            Case(
                bytes:
                    "HTTP/1.1 200 OK\r\nX: \(String(repeating: "a", count: 150 << 10))\r\nContent-Length: 2\r\n\r\nok",
                outcome: .error([.invalidResponse])
            ),
            Case(
                bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nno trailer\r\n\r\n",
                outcome: .error([.invalidResponse])
            ),
        ]
    )
    func faults(test: Case) async throws { try await run(test) }

    // RFC 9112, 6.1.
    @Test("A response of HTTP/1.0 in chunks is read, and its connection closed")
    func chunksOfHTTP10() async throws {
        let fields = "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
        try await run(
            Case(
                bytes: "HTTP/1.0 200 OK\r\n\(fields)5\r\nhello\r\n0\r\n\r\n",
                outcome: .response(200, "hello", reused: false)
            )
        )
    }

    @Test(
        "A peer that calls its HTTP/1.1 by the name of HTTP/2 is refused, and leaves no response for the next request",
        arguments: ["", "HTTP/1.1 103 Early Hints\r\n\r\n"],
        [PoolTransport.HTTP2.off, .negotiated]
    )
    func falseName(interim: String, http2: PoolTransport.HTTP2) async throws {
        let peer = try ScriptedPeer { connection, number in
            while let head = try connection.readHeadOnly() {
                if head.contains(" /next ") {
                    connection.answer("next")
                } else {
                    connection.write("\(interim)HTTP/2 200 OK\r\nContent-Length: 2\r\n\r\nok")
                    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\ninjected")
                }
            }
        }
        try await withMeasuredPool {
            $0.transport.http2 = http2
        } _: { client in
            // On a new connection, and on one that is reused.
            for isReused in [false, true] {
                if isReused { _ = try await client.fetch(.to(peer.authority, "/next")) }
                let error = try await poolError { _ = try await client.fetch(.to(peer.authority)) }
                #expect(error.code == .invalidResponse, "\(error)")
                try await client.becomes()
            }
            let next = try await client.fetch(.to(peer.authority, "/next"))
            #expect(next.text == "next")
        }
    }

    // RFC 9112, 6.3, item 1; RFC 9110, 15.3.5 and 15.4.5; ziglang/zig #25254.
    @Test(
        "What has no body has none, and bytes behind it are nobody's response",
        arguments: [
            Case(bytes: "HTTP/1.1 204 No Content\r\n\r\n", outcome: .response(204, "", reused: true)),
            Case(
                bytes: "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
                outcome: .response(204, "", reused: true)
            ),
            Case(
                bytes: "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n",
                outcome: .response(304, "", reused: true)
            ),
            Case(
                bytes: "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
                outcome: .response(304, "", reused: true)
            ),
            Case(bytes: "HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\nhello", outcome: .response(204, "", reused: nil)),
            Case(bytes: "HTTP/1.1 304 Not\r\nContent-Length: 5\r\n\r\nhello", outcome: .response(304, "", reused: nil)),
            Case(
                bytes:
                    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\ninjected",
                outcome: .response(200, "ok", reused: false)
            ),
            Case(
                bytes: "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
                outcome: .response(205, "", reused: true)
            ),
            Case(bytes: "HTTP/1.1 205 Reset Content\r\n\r\n", outcome: .error([.readTimeout])),
            Case(
                bytes: "HTTP/1.1 200 OK\r\nContent-Length: 1192\r\n\r\n",
                outcome: .response(200, "", reused: true),
                method: .head
            ),
            Case(
                bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                outcome: .response(200, "", reused: true),
                method: .head
            ),
            Case(
                bytes: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
                outcome: .response(200, "", reused: nil),
                method: .head
            ),
        ]
    )
    func bodyless(_ test: Case) async throws { try await run(test) }

    // RFC 9112, 6.3, item 3: chunks win, and the connection is closed; or it is an error.
    @Test(
        "Length and chunks together",
        arguments: [
            "Content-Length: 3\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 3",
            "Transfer-Encoding: chunked\r\nContent-Length: 15",
        ]
    )
    func lengthAndChunks(fields: String) async throws {
        try await run(
            Case(
                bytes: "HTTP/1.1 200 OK\r\n\(fields)\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                outcome: .response(200, "hello", reused: false)
            )
        )
    }

    // RFC 9112, 6.1 and 6.3, item 4; curl/curl #16956.
    @Test(
        "Transfer codings that are not understood are an error, and never a body",
        arguments: [
            "xchunked", "chunked, gzip", "chunked, chunked", "gzip, x", "chunked\r\nTransfer-Encoding: chunked",
        ]
    )
    func transferCodings(value: String) async throws {
        try await run(
            Case(
                bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: \(value)\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                outcome: .error([.invalidResponse])
            )
        )
    }

    // RFC 9112, 7.1 and 8; xroche/httrack #840.
    @Test(
        "Chunks that are cut off anywhere are an error",
        arguments: [
            "4\r\ntrun\r\n", "5\r\nhel", "5", "5\r\n", "5\r\nhello\r\n0", "5\r\nhello\r\n0\r\n",
            "5\r\nhello\r\n0\r\nX: y\r\n",
        ]
    )
    func cutChunks(body: String) async throws {
        try await run(
            Case(
                bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(body)",
                outcome: .error([.invalidResponse, .connectionLost]),
                closes: true
            )
        )
    }

    // RFC 9112, 7.1.
    @Test(
        "A chunk size that is no number is an error, and never a shorter body",
        arguments: ["0x5", "+5", "-0", "0-", "1_0", "8000000000000005", " 5"]
    )
    func chunkSizes(size: String) async throws {
        try await run(
            Case(
                bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(size)\r\nhello\r\n0\r\n\r\n",
                outcome: .error([.invalidResponse, .connectionLost, .readTimeout])
            )
        )
    }

    // RFC 9112, 7.1.1 and 7.1.2.
    @Test(
        "Chunks that are right are read: zeros, capitals, extensions, trailers",
        arguments: [
            ("0005\r\nhello\r\n0\r\n\r\n", "hello"), ("A\r\n0123456789\r\n000\r\n\r\n", "0123456789"),
            ("5;a=b;c=\"d\"\r\nhello\r\n0;x\r\n\r\n", "hello"), ("5 \r\nhello\r\n0\r\n\r\n", "hello"),
            ("5\r\nhello\r\n0\r\nContent-Length: 999\r\nTransfer-Encoding: x\r\n\r\n", "hello"),
        ]
    )
    func rightChunks(body: String, text: String) async throws {
        try await run(
            Case(
                bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(body)",
                outcome: .response(200, text, reused: true)
            )
        )
    }

    // RFC 9110, 15; RFC 9112, 4.
    @Test(
        "Status lines",
        arguments: [
            ("HTTP/1.1 200\r\n", 200), ("HTTP/1.1 200 \r\n", 200), ("HTTP/1.1 600 X\r\n", 600),
            ("HTTP/1.1 777 X\r\n", 777), ("HTTP/1.1 999 X\r\n", 999), ("HTTP/1.1 200 \u{e9}t\u{e9}\r\n", 200),
            ("HTTP/1.1 099 X\r\n", 0), ("HTTP/1.1 20 X\r\n", 0), ("HTTP/1.1 2000 X\r\n", 0), ("HTTP/1.1 000 X\r\n", 0),
            ("HTTP/1.1 abc X\r\n", 0), ("HTTP/9.9 200 OK\r\n", 0), ("ICY 200 OK\r\n", 0), ("SSH-2.0-x\r\n", 0),
        ]
    )
    func statusLines(line: String, status: Int) async throws {
        try await run(
            Case(
                bytes: "\(line)Content-Length: 2\r\n\r\nok",
                outcome: status == 0
                    ? .error([.invalidResponse, .connectionLost]) : .response(status, "ok", reused: true)
            )
        )
    }

    // RFC 9110, 5.5; RFC 9112, 5.1 and 2.2.
    @Test(
        "Header fields that could be read in two ways",
        arguments: [
            ("X: a\0b\r\nContent-Length: 2", false), ("Content-Length : 2", false),
            ("NoColon\r\nContent-Length: 2", false), (": v\r\nContent-Length: 2", false),
            ("X:\r\nContent-Length: 2", true), ("Content-Length: 2  ", true), ("Content-Length:2", true),
            ("X: \u{e9}\r\nContent-Length:\t2", true),
        ]
    )
    func fields(lines: String, isRight: Bool) async throws {
        try await run(
            Case(
                bytes: "HTTP/1.1 200 OK\r\n\(lines)\r\n\r\nok",
                outcome: isRight ? .response(200, "ok", reused: true) : .error([.invalidResponse])
            )
        )
    }

    // RFC 9112, 2.2: an error or a space. It depends on the version of libcurl.
    @Test("A bare CR begins no second field")
    func bareCR() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readHeadOnly() != nil {
                connection.write("HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\nContent-Length: 2\r\n\r\nok")
            }
        }
        try await withMeasuredPool { client in
            do {
                let response = try await client.fetch(.to(peer.authority))
                #expect(response.text == "ok")
                #expect(response.fields[.setCookie] == nil)
                #expect(!response.fields.contains { $0.value.contains { $0.isNewline } })
                try await client.becomes(idle: 1)
            } catch let error as PoolError {
                #expect(error.code == .invalidResponse, "\(error)")
                try await client.becomes()
            }
        }
    }
}
