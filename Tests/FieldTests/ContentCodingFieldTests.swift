import CurlPool
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// Bodies that come packed, as real servers pack them (RFC 9110, 8.4).
@Suite("Content codings")
struct ContentCodingFieldTests {
    private func withUnpacking(_ maxRatio: Int = 100, _ body: (InstrumentedClient) async throws -> Void) async throws {
        try await withMeasuredPool {
            $0.transport.decompression = .on(maxRatio: maxRatio)
        } _: {
            try await body($0)
        }
    }

    /// Every connection that was opened served all that it was asked, but for those that closed of themselves.
    private func expectReuse(_ client: InstrumentedClient, _ peer: ScriptedPeer) async throws {
        let next = try await client.fetch(.to(peer.authority, "/next"))
        #expect(next.text == "plain")
    }

    // MARK: Bodies that are cut off

    /// libcurl reports success and part of the body, with every version from 7.88.1 to 8.21.0; so did
    /// oven-sh/bun #34922 and sindresorhus/decompress-response #19. RFC 1952, 2.2: a member ends with its check sum
    /// and length.
    @Test(
        "A body that ends before its coding does is an error, however it is framed",
        arguments: CodedResponse.Framing.allCases
    )
    func truncated(framing: CodedResponse.Framing) async throws {
        let content = Array(PackedBody.text.utf8)
        let gzip = try await PackedBody.packed(content)
        let raw = Array(gzip[10..<gzip.count - 8])
        let brotli = try await PackedBody.packed(content, by: "brotli", "-5")
        let zstd = try await PackedBody.packed(content, by: "zstd", "-q")
        let cases: [(String, [UInt8])] = [
            ("gzip", Array(gzip.prefix(gzip.count / 2))), ("gzip", Array(gzip.dropLast(8))),
            ("gzip", Array(gzip.prefix(10))),
            ("gzip", Array(gzip.dropLast())), ("deflate", Array(raw.prefix(raw.count / 2))),
            ("deflate", PackedBody.zlibABC.dropLast(4)), ("br", Array(brotli.prefix(brotli.count / 2))),
            ("zstd", Array(zstd.prefix(zstd.count / 2))), ("zstd", zstd.dropLast()),
        ]
        for (coding, bytes) in cases {
            let peer = try CodedResponse(coding, bytes, framing: framing).peer()
            try await withUnpacking { client in
                let error = try await poolError { _ = try await client.fetch(.to(peer.authority)) }
                #expect(error.code == .invalidResponse, "\(coding), \(bytes.count): \(error)")
                #expect(error.phase == .exchange && error.elapsed != nil && error.origin?.port == peer.port)
                try await expectReuse(client, peer)
                // The framing was whole, so it is the body that is wrong and not the connection.
                #expect(peer.connections == (framing == .close ? 2 : 1))
                let origin = try client.onlyOrigin
                #expect(origin.leasesEnded == 2)
                #expect(origin.connectionsClosed[.error] == 0)
            }
        }
    }

    /// http4s/http4s #1373: the sum was never compared.
    @Test("What comes before a wrong check sum is delivered, and then an error")
    func checkSum() async throws {
        var gzip = try await PackedBody.packed(Array(PackedBody.text.utf8))
        gzip[gzip.count - 5] ^= 1
        let peer = try CodedResponse("gzip", gzip).peer()
        try await withUnpacking { client in
            var count = 0
            let error = try await poolError {
                for try await chunk in try await client.execute(.to(peer.authority)).body { count += chunk.count }
            }
            #expect(error.code == .invalidResponse)
            // All but what would have been the last piece.
            #expect(count > PackedBody.text.utf8.count - 64 << 10 && count <= PackedBody.text.utf8.count)
            try await expectReuse(client, peer)
            #expect(peer.connections == 1)
        }
    }

    @Test("A body that breaks while it comes ends the request, and the connection is closed for the error")
    func broken() async throws {
        let gate = Gate()
        let bytes = Array("no gzip at all".utf8)
        let peer = try CodedResponse("gzip", bytes, bytes).peer { try gate.wait() }
        try await withUnpacking { client in
            let response = try await client.execute(.to(peer.authority))
            var body = response.body.makeAsyncIterator()
            for _ in 1...2 {
                let error = try await poolError { _ = try await body.next() }
                #expect(error.code == .invalidResponse)
            }
            try await client.becomes()
            let origin = try client.onlyOrigin
            #expect(origin.connectionsClosed[.error] == 1)
            #expect(origin.connectionsClosed.total == 1)
            gate.open()
        }
    }

    // MARK: Bodies of several parts

    /// curl/curl #22156 (error 23), httpx, urllib3/urllib3 #1285 and oven-sh/bun #33708 (the first member alone, as
    /// success).
    @Test("Members and frames that come in pieces of their own are one body")
    func members() async throws {
        let gate = Gate()
        gate.open()
        let foo = PackedBody.gzipFoo
        let cases = [
            CodedResponse("gzip", foo, PackedBody.gzipBar),
            CodedResponse("gzip", foo, PackedBody.gzipBar, framing: .chunked),
            CodedResponse("gzip", foo + PackedBody.gzipBar.prefix(1), Array(PackedBody.gzipBar.dropFirst())),
            CodedResponse("gzip", foo, PackedBody.gzipBar + [0, 0], framing: .close),
        ]
        for response in cases {
            let peer = try response.peer()
            try await withUnpacking { client in
                let found = try await client.fetch(.to(peer.authority))
                #expect(found.text == "foobar")
                #expect(found.fields[.contentEncoding] == nil)
                #expect(found.fields[.contentLength] == nil)
            }
        }
    }

    /// sindresorhus/decompress-response #34 and netty/netty #9087 refused raw data; libcurl looks for it only in the
    /// first piece it is given.
    @Test("Raw deflate data is understood though its first byte comes alone")
    func rawDeflate() async throws {
        let gate = Gate()
        let raw = PackedBody.rawABC
        let peer = try CodedResponse("deflate", Array(raw.prefix(1)), Array(raw.dropFirst())).peer { try gate.wait() }
        try await withUnpacking { client in
            let response = try await client.execute(.to(peer.authority))
            gate.open()
            #expect(try await response.body.collect() == Array("abc".utf8))
        }
    }

    /// seanmonstar/reqwest #2381, algesten/ureq #549, googleapis/google-http-java-client #367: the connection was
    /// dropped, or its rest became the next response.
    @Test("The end of the framing may come after the end of the coding, and the connection is used again")
    func lateEnd() async throws {
        let gate = Gate()
        let peer = try CodedResponse("gzip", PackedBody.gzipFoo, framing: .chunked).peer { try gate.wait() }
        try await withUnpacking { client in
            var body = try await client.execute(.to(peer.authority)).body.makeAsyncIterator()
            #expect(try await body.next() == Array("foo".utf8))
            gate.open()
            #expect(try await body.next() == nil)
            try await expectReuse(client, peer)
            #expect(peer.connections == 1)
        }
    }

    /// nodejs/undici #2158 undid them in the wrong order, oven-sh/bun #33270 only the last. RFC 9110, 8.4 and 5.3.
    @Test("Several codings are undone in the reverse of their order, from one field or two")
    func stacked() async throws {
        let packed = try await PackedBody.packed(PackedBody.brotliFoo)
        var response = CodedResponse("br, gzip", packed)
        for fields in [
            "Content-Encoding: br, GZip\r\n", "Content-Encoding: br\r\nX-A: b\r\ncontent-encoding: x-gzip\r\n",
        ] {
            response.fields = fields
            let peer = try response.peer()
            try await withUnpacking { client in
                let found = try await client.fetch(.to(peer.authority))
                #expect(found.text == "foo")
                #expect(found.fields[.contentEncoding] == nil)
            }
        }
        response.fields = "Content-Encoding: gzip, br\r\n"
        let peer = try response.peer()
        try await withUnpacking { client in
            let error = try await poolError { _ = try await client.fetch(.to(peer.authority)) }
            #expect(error.code == .invalidResponse)
        }
    }

    // MARK: Bodies that are not unpacked

    /// Go and browsers hand them on; libcurl fails them (CURLE_BAD_CONTENT_ENCODING). Microsoft's and Amazon's services send
    /// such fields.
    @Test(
        "A body with a coding that is not known is passed on as it is, with its head",
        arguments: ["utf-8", "binary", "aws-chunked", "gzip, aws-chunked", "lzma", "identity", "UTF-8, gzip"]
    )
    func unknown(coding: String) async throws {
        let peer = try CodedResponse(coding, PackedBody.gzipFoo).peer()
        try await withUnpacking { client in
            let response = try await client.execute(.to(peer.authority))
            #expect(response.head.headerFields[.contentEncoding] == coding)
            #expect(response.head.headerFields[.contentLength] == "\(PackedBody.gzipFoo.count)")
            #expect(try await response.body.collect() == PackedBody.gzipFoo)
            try await expectReuse(client, peer)
            #expect(peer.connections == 1)
        }
    }

    /// Go's net/http and OkHttp's BridgeInterceptor ask for no coding beside Range.
    @Test("A request for a range asks for no coding, and its response is passed on as it is")
    func range() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while let (head, _) = try connection.readRequest() {
                let asks = head.lowercased().contains("accept-encoding")
                var response = CodedResponse("gzip", Array(PackedBody.gzipFoo[5...9]), status: "206 Partial Content")
                response.fields += "Content-Range: bytes 5-9/23\r\nX-Asks: \(asks)\r\n"
                try response.write(to: connection)
            }
        }
        try await withUnpacking { client in
            let request = HTTPRequest.to(peer.authority, fields: [.range: "bytes=5-9"])
            let response = try await client.execute(request)
            #expect(response.status.code == 206)
            let fields = response.head.headerFields
            #expect(fields[try #require(HTTPField.Name("X-Asks"))] == "false")
            #expect(fields[.contentEncoding] == "gzip")
            #expect(fields[.contentLength] == "5")
            #expect(try await response.body.collect() == Array(PackedBody.gzipFoo[5...9]))
        }
    }

    /// aio-libs/aiohttp #609, kittinunf/fuel #694, influxdata/influxdb #6624: an error for what has no body (RFC 9110,
    /// 6.4.1).
    @Test(
        "A response without a body is no error, whatever coding its head names",
        arguments: ["gzip", "deflate", "br", "zstd"]
    )
    func noBody(coding: String) async throws {
        let field = "Content-Encoding: \(coding)\r\n"
        let cases: [(HTTPRequest.Method, String, keepsField: Bool)] = [
            (.get, "204 No Content\r\n\(field)", true),
            (.get, "304 Not Modified\r\n\(field)Content-Length: 1234\r\n", true),
            (.head, "200 OK\r\n\(field)Content-Length: 1234\r\n", true),
            (.get, "200 OK\r\n\(field)Content-Length: 0\r\n", false),
            (.get, "200 OK\r\n\(field)Transfer-Encoding: chunked\r\n\r\n0\r\n", false),
        ]
        for (method, head, keepsField) in cases {
            let peer = try ScriptedPeer { connection, _ in
                while try connection.readRequest() != nil { connection.write("HTTP/1.1 \(head)\r\n") }
            }
            try await withUnpacking { client in
                for _ in 1...2 {
                    let found = try await client.fetch(.to(peer.authority, method: method))
                    #expect(found.text == "")
                    #expect((found.fields[.contentEncoding] == coding) == keepsField, "\(head)")
                }
                #expect(peer.connections == 1)
            }
        }
        let peer = try CodedResponse(coding, framing: .close).peer()
        try await withUnpacking { client in
            let found = try await client.fetch(.to(peer.authority))
            #expect(found.text == "")
        }
    }

    // MARK: Bounds

    /// facebook/zstd #2713: a dozen bytes make a decoder allocate 128 MiB. RFC 9659, 3 allows 8.
    @Test("A window that is too large, and too many codings, are refused")
    func refused() async throws {
        var deep = CodedResponse("gzip", PackedBody.gzipFoo)
        deep.fields = String(repeating: "Content-Encoding: gzip\r\n", count: 50)
        // CVE-2023-23916: libcurl counted the codings of each field by itself.
        for response in [CodedResponse("zstd", PackedBody.zstdFooLargeWindow), deep] {
            let peer = try response.peer()
            try await withUnpacking { client in
                let error = try await poolError { _ = try await client.fetch(.to(peer.authority)) }
                #expect(error.code == .invalidResponse)
                try await expectReuse(client, peer)
            }
        }
    }

    /// curl/curl #16280: unpacked data piled up for a reader that paused.
    @Test("A reader that pauses makes the peer wait, and what waits is packed")
    func pausing() async throws {
        let member = try await PackedBody.packed(Array(PackedBody.text.utf8))
        let sent = Counter()
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil {
                connection.write("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(1 << 40)\r\n\r\n")
                while connection.write(member) { sent.add(member.count) }
            }
        }
        try await withUnpacking { client in
            let response = try await client.execute(.to(peer.authority))
            var body = response.body.makeAsyncIterator()
            _ = try await body.next()
            try await sent.becomesSteady()
            // Most of it lies in the kernel's buffers.
            let held = sent.value
            #expect(held < 16 << 20)
            var count = 0
            while count < 64 << 20, let chunk = try await body.next() {
                #expect(chunk.count <= 64 << 10)
                count += chunk.count
            }
            #expect(sent.value > held)
        }
    }

    @Test("The limit of a collected body counts unpacked bytes")
    func collected() async throws {
        let peer = try CodedResponse("gzip", try await PackedBody.packed(Array(PackedBody.text.utf8))).peer()
        let count = PackedBody.text.utf8.count
        try await withUnpacking { client in
            let whole = try await client.execute(.to(peer.authority))
            #expect(try await whole.body.collect(upTo: count) == Array(PackedBody.text.utf8))
            let response = try await client.execute(.to(peer.authority))
            let error = try await poolError { _ = try await response.body.collect(upTo: count - 1) }
            #expect(error.code == .responseTooLarge)
            try await expectReuse(client, peer)
        }
    }

    // MARK: Through redirects and retries

    @Test("A redirect whose own body is packed leads to a body that is unpacked, on the same connection")
    func redirected() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while let (head, _) = try connection.readRequest() {
                var response = CodedResponse("gzip", PackedBody.gzipFoo)
                if head.hasPrefix("GET /old ") {
                    response.status = "302 Found"
                    response.fields += "Location: /new\r\n"
                }
                try response.write(to: connection)
            }
        }
        var options = RequestOptions()
        options.redirects = .follow(limit: 1)
        try await withUnpacking { client in
            let found = try await client.fetch(.to(peer.authority, "/old"), options: options)
            #expect(found.text == "foo")
            #expect(peer.connections == 1)
        }
    }

    @Test("Over HTTP/2 bodies are unpacked too")
    func http2() async throws {
        let certificates = try await TestCertificates()
        let tls = Nginx.TLS(certificate: try await certificates.signed(), http2Streams: 32)
        let gzip = "gzip on; gzip_min_length 1; gzip_types *;"
        let nginx = try await Nginx.start(locations: "\(gzip) location /coded { return 200 'coded'; }", tls: tls)
        try await withMeasuredPool {
            $0.transport.decompression = .on()
            $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
            $0.transport.http2 = .negotiated
        } _: { client in
            for _ in 1...3 {
                let found = try await client.fetch(.to(nginx.tlsAuthority, "/coded", scheme: "https"))
                #expect(found.text == "coded")
                #expect(found.fields[.contentEncoding] == nil)
            }
            let origin = try client.onlyOrigin
            #expect(origin.connectionsOpened == 1)
        }
    }

    @Test("A request that is sent again on a new connection is unpacked too")
    func sentAgain() async throws {
        let peer = try ScriptedPeer { connection, number in
            _ = try connection.readRequest()
            try CodedResponse("gzip", PackedBody.gzipFoo).write(to: connection)
            while try connection.readRequest() != nil {
                if number == 0 { return }
                try CodedResponse("gzip", PackedBody.gzipBar).write(to: connection)
            }
        }
        try await withUnpacking { client in
            for expected in ["foo", "foo", "bar"] {
                let found = try await client.fetch(.to(peer.authority))
                #expect(found.text == expected)
            }
            #expect(peer.connections == 2)
        }
    }
}
