import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// Where a response begins and ends: heads, interim responses, lengths, chunks, trailers.
@Suite("Framing")
struct FramingTests {
    /// Expects that a response is refused as invalid, that its connection is closed, and that the next request succeeds.
    private func expectInvalid(
        saying words: String,
        from peer: ScriptedPeer,
        request: HTTPRequest? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await withMeasuredPool {
            $0.limits.maxConnections = 1
            $0.timeouts.read = .seconds(30)
        } _: { client in
            let error = try await poolError {
                _ = try await client.fetch(request ?? .to(peer.authority))
            }
            #expect(error.code == .invalidResponse, "\(error)", sourceLocation: sourceLocation)
            #expect(error.reason.contains(words), "\(error)", sourceLocation: sourceLocation)
            try await client.becomes(sourceLocation: sourceLocation)
            let origin = try client.onlyOrigin
            #expect(origin.connectionsClosed[.error] == 1, sourceLocation: sourceLocation)
            // The slot is free.
            let next = try await client.fetch(.to(peer.authority, "/next"))
            #expect(next.text == "next", sourceLocation: sourceLocation)
        }
    }

    /// A peer whose first connection is played by `script`, after the request's head; others answer "next".
    private func peer(_ script: @escaping @Sendable (ScriptedPeer.Connection) throws -> Void) throws -> ScriptedPeer {
        try ScriptedPeer { connection, number in
            guard try connection.readHeadOnly() != nil else { return }
            if number > 0 { return connection.answer("next") }
            try script(connection)
        }
    }

    // RFC 9110, 15.2.2 and 7.8.
    @Test("A 101 is an error at once, whoever asked for it", arguments: [false, true])
    func switchingProtocols(asked: Bool) async throws {
        let peer = try peer { connection in
            connection.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
            connection.write([UInt8](repeating: 0x78, count: 4 << 20))
            connection.waitForEnd()
        }
        var request = HTTPRequest.to(peer.authority)
        if asked {
            request.headerFields[.upgrade] = "x"
            request.headerFields[.connection] = "Upgrade"
        }
        try await expectInvalid(saying: "101", from: peer, request: request)
    }

    // dotnet/runtime #69250, CVE-2023-38039.
    @Test("Trailers without end are an error, in bounded memory")
    func endlessTrailers() async throws {
        let peer = try peer { connection in
            connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n")
            let trailers = String(repeating: "X-Trailer: 0123456789012345678901234567890123456789\r\n", count: 1000)
            while connection.write(trailers) {}
        }
        try await expectInvalid(saying: "trailers", from: peer)
    }

    @Test("Interim responses without end are an error")
    func endlessInterims() async throws {
        let peer = try peer { connection in
            let interims = String(repeating: "HTTP/1.1 102 Processing\r\n\r\n", count: 100)
            while connection.write(interims) {}
        }
        try await expectInvalid(saying: "interim", from: peer)
    }

    // RFC 9112, 7.1.1: a recipient limits the length of chunk extensions.
    @Test(
        "Bytes that are not of the body do not keep a request alive: chunk extensions, trailers",
        arguments: [";x=", "X"]
    )
    func noProgress(piece: String) async throws {
        let gate = Gate()
        let peer = try peer { connection in
            connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            connection.write(piece == "X" ? "0\r\n" : "5")
            while connection.write(piece == "X" ? "X: y\r\n" : piece) { gate.waitBriefly() }
        }
        try await withMeasuredPool {
            $0.timeouts.read = .milliseconds(300)
        } _: { client in
            let error = try await poolError { _ = try await client.fetch(.to(peer.authority)) }
            #expect(error.code == .readTimeout, "\(error)")
            try await client.becomes()
            let origin = try client.onlyOrigin
            #expect(origin.connectionsClosed[.requestTimeout] == 1)
        }
    }

    // RFC 9112, 5.2: obs-fold is replaced by spaces.
    @Test("A field that goes on in the next line is one field")
    func folded() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil {
                connection.write("HTTP/1.1 200 OK\r\nX-Folded: one\r\n two\r\n\tthree\r\nContent-Length: 2\r\n\r\nok")
            }
        }
        try await withMeasuredPool { client in
            for _ in 1...2 {
                let response = try await client.fetch(.to(peer.authority))
                let words = try #require(HTTPField.Name("X-Folded").flatMap { response.fields[$0] })
                #expect(words.split(whereSeparator: \.isWhitespace) == ["one", "two", "three"])
                #expect(!words.contains { $0.isNewline })
                #expect(response.text == "ok")
            }
            let origin = try client.onlyOrigin
            #expect(origin.connectionsOpened == 1)
        }
    }

    // RFC 9112, 6.3, item 5.
    @Test(
        "A length that is not one number is refused",
        arguments: [
            "Content-Length: 5\r\nContent-Length: 2", "Content-Length: 5, 6", "Content-Length: 5x",
            "Content-Length: +5",
            "Content-Length: 0x5", "Content-Length: -5", "Content-Length: 5 5", "Content-Length: ",
            "Content-Length: 18446744073709551621", "Content-Length: 5\r\n 1",
            "content-length: 5\r\nCONTENT-LENGTH: 05, 4",
        ]
    )
    func doubtfulLength(fields: String) async throws {
        let peer = try peer { connection in
            connection.write("HTTP/1.1 200 OK\r\n\(fields)\r\n\r\nhello")
            connection.waitForEnd()
        }
        try await expectInvalid(saying: "", from: peer)
    }

    @Test("Several lengths that agree are one", arguments: ["5, 5", "5\r\nContent-Length: 5", "5 ,\t5"])
    func agreeingLengths(value: String) async throws {
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil {
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(value)\r\n\r\nhello")
            }
        }
        try await withMeasuredPool { client in
            for _ in 1...2 {
                let response = try await client.fetch(.to(peer.authority))
                #expect(response.text == "hello")
            }
            let origin = try client.onlyOrigin
            #expect(origin.connectionsOpened == 1)
        }
    }

    // RFC 9112, 7.1.
    @Test(
        "A chunk size that is not one makes the response invalid",
        arguments: ["xyz", "-5", "fffffffffffffffff5", ""]
    )
    func badChunkSize(size: String) async throws {
        let peer = try peer { connection in
            connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(size)\r\nhello\r\n0\r\n\r\n")
            connection.waitForEnd()
        }
        try await expectInvalid(saying: "chunk", from: peer)
    }

    // RFC 9112, 6.1: HTTP/1.0 has no chunked encoding.
    @Test("A body of unknown length for a server of HTTP/1.0 fails, and says why")
    func unknownLengthToOldServer() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil {
                connection.write("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok")
            }
        }
        try await withMeasuredPool { client in
            _ = try await client.fetch(.to(peer.authority))
            let body = HTTPRequestBody.stream(AsyncStream<[UInt8]> { $0.finish() })
            let error = try await poolError {
                _ = try await client.fetch(.to(peer.authority, method: .post), body: body)
            }
            #expect(error.reason.contains("HTTP/1.0"), "\(error)")
            let sized = try await client.fetch(.to(peer.authority, method: .post), body: "hello")
            #expect(sized.text == "ok")
        }
    }

    // RFC 9110, 10.1.1.
    @Test("A caller's expectation that the server refuses: the 417 is the response, and the connection is closed")
    func refusedExpectation() async throws {
        let heads = Counter()
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readHeadOnly() != nil {
                heads.add(1)
                connection.write("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno")
            }
        }
        try await withMeasuredPool { client in
            var request = HTTPRequest.to(peer.authority, method: .post)
            request.headerFields[.expect] = "100-continue"
            let response = try await client.fetch(request, body: .bytes([UInt8](repeating: 1, count: 100_000)))
            #expect(response.status == 417)
            try await client.becomes()
            #expect(heads.value == 1)
            let origin = try client.onlyOrigin
            #expect(origin.connectionsClosed[.responseClose] == 1)
        }
    }

    @Test("A 417 to a request without an expectation is a response like any other", arguments: [10, 100_000])
    func unexpected417(bodyBytes: Int) async throws {
        let heads = Counter()
        let peer = try ScriptedPeer { connection, _ in
            while let (head, _) = try connection.readRequest() {
                heads.add(1)
                #expect(!head.lowercased().contains("expect:"))
                connection.write("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno")
            }
        }
        try await withMeasuredPool { client in
            let body = HTTPRequestBody.bytes([UInt8](repeating: 1, count: bodyBytes))
            let response = try await client.fetch(.to(peer.authority, method: .post), body: body)
            #expect(response.status == 417)
            #expect(response.text == "no")
            try await client.becomes(idle: 1)
            #expect(heads.value == 1)
        }
    }
}
