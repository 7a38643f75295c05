import HTTPPool
import HTTPTypes
import Testing

@testable import CurlPool

@Suite("A request in libcurl's terms")
struct EncodedRequestTests {
    @Test(
        "The URL is scheme, authority and path",
        arguments: [
            ("http", "a.example", "/", "http://a.example/"),
            ("HTTPS", "A.Example:8443", "/x?y=1#z", "https://A.Example:8443/x?y=1"),
            ("http", "a.example", "/#\u{e4}?x", "http://a.example/"), ("http", "a.example", "/?", "http://a.example/?"),
            ("http", "[::1]:80", "", "http://[::1]:80/"), ("http", "a.example", "//b/../c", "http://a.example//b/../c"),
            ("http", "a.example", "/\u{e4}%20?\u{e4}=\u{1f600}", "http://a.example/%C3%A4%20?%C3%A4=%F0%9F%98%80"),
        ]
    )
    func url(scheme: String, authority: String, path: String, url: String) throws {
        let encoded = try EncodedRequest(request(.get, scheme, authority, path))
        #expect(encoded.urlText == url)
        #expect(encoded.unixSocketPath == nil)
    }

    @Test("A body whose length is negative is refused", arguments: [-1, .min])
    func negativeLength(length: Int) throws {
        let body = HTTPRequestBody.stream(AsyncStream<[UInt8]> { $0.finish() }, length: length)
        let error = try #require(throws: PoolError.self) {
            _ = try EncodedRequest(request(.post, "http", "a.example", "/"), body: body, defaults: DefaultHeaders([:]))
        }
        #expect(error.code == .invalidRequest)
    }

    @Test("Site and target are told apart; the same site is known again whatever the target")
    func siteAndTarget() throws {
        let one = try EncodedRequest(request(.get, "http", "a.example:80", "/x?y")).address
        let other = try EncodedRequest(request(.get, "http", "a.example:80", "/")).address
        let elsewhere = try EncodedRequest(request(.get, "http", "b.example:80", "/x?y")).address
        #expect(one.withSite { $0.map { String(cString: $0) } } == "http://a.example:80")
        #expect(one.withTarget { $0.map { String(cString: $0) } } == "/x?y")
        #expect(one.isAtSite(of: other) && one != other)
        #expect(!one.isAtSite(of: elsewhere) && one != elsewhere)
    }

    @Test("A socket in the file system is named beside a URL that has no name of its own")
    func unixSocket() throws {
        let plain = try EncodedRequest(request(.get, "http+unix", "%2Fvar%2Frun%2Fdocker.sock", "/info?x=1"))
        #expect(plain.urlText == "http://localhost/info?x=1")
        #expect(plain.unixSocketPath == "/var/run/docker.sock")
        #expect(plain.origin.description == "http+unix://%2Fvar%2Frun%2Fdocker.sock:80")
        let secure = try EncodedRequest(request(.get, "HTTPS+UNIX", "%2ftmp%2FA%20b", nil))
        #expect(secure.urlText == "https://localhost/")
        #expect(secure.unixSocketPath == "/tmp/A b")
        #expect(secure.origin.description == "https+unix://%2FTmp%2FA%20b:443".replacing("Tmp", with: "tmp"))
    }

    @Test(
        "Methods: which may be repeated, which carry a body",
        arguments: [
            ("GET", true, "none"), ("HEAD", true, "none"), ("OPTIONS", true, "none"), ("TRACE", true, "none"),
            ("DELETE", true, "none"), ("PUT", true, "0 bytes"), ("POST", false, "0 bytes"), ("PATCH", false, "0 bytes"),
            ("get", false, "none"), ("PROPFIND", false, "none"), ("M-SEARCH!", false, "none"),
        ]
    )
    func methods(method: String, isIdempotent: Bool, body: String) throws {
        let encoded = try EncodedRequest(request(try #require(HTTPRequest.Method(method))))
        #expect(encoded.method == method)
        #expect(encoded.isRepeatable == isIdempotent)
        #expect(encoded.isHead == (method == "HEAD"))
        #expect(encoded.body.kind == body)
        #expect(encoded.headers.texts == (body == "none" ? [] : ["Content-Length: 0"]))
    }

    @Test("A stream is passed on; it may be repeated where it can be made again and the method allows it")
    func streams() throws {
        let (chunks, _) = AsyncStream<[UInt8]>.makeStream()
        let once = HTTPRequestBody.stream(chunks, length: 5)
        let again = HTTPRequestBody.replayableStream { AsyncStream<[UInt8]> { $0.finish() } }
        #expect(try EncodedRequest(request(.put), body: once).body.kind == "stream of 5")
        #expect(try EncodedRequest(request(.put), body: again).body.kind == "stream of some")
        #expect(try !EncodedRequest(request(.put), body: once).isRepeatable)
        #expect(try EncodedRequest(request(.put), body: again).isRepeatable)
        #expect(try !EncodedRequest(request(.post), body: again).isRepeatable)
        #expect(try EncodedRequest(request(.put), body: once).headers.texts == ["Expect:", "Content-Type:"])
    }

    static let lengths: [(method: HTTPRequest.Method, body: HTTPRequestBody, length: String, isRight: Bool)] = [
        (.post, "abc", "3", true), (.post, "abc", "2", false), (.post, "abc", "03", false), (.post, "abc", "+3", false),
        (.post, "abc", "3, 3", false), (.post, .none, "0", true), (.get, .none, "0", true), (.get, .none, "1", false),
        (.head, .none, "5", false), (.post, "abc", "", false), (.post, "abc", "99999999999999999999", false),
        (.put, .replayableStream(length: 7) { AsyncStream<[UInt8]> { $0.finish() } }, "7", true),
        (.put, .replayableStream(length: 7) { AsyncStream<[UInt8]> { $0.finish() } }, "8", false),
        (.put, .replayableStream { AsyncStream<[UInt8]> { $0.finish() } }, "7", false),
    ]

    @Test("A Content-Length must be the body's; the client writes it")
    func contentLength() {
        for (method, body, length, isRight) in Self.lengths {
            let request = request(method, "http", "a", "/", [.contentLength: length])
            let texts = try? EncodedRequest(request, body: body).headers.texts
            #expect((texts != nil) == isRight, "\(method) \(length)")
            #expect(
                texts?.contains { $0.lowercased().hasPrefix("content-length") && $0 != "Content-Length: 0" } != true
            )
        }
    }

    @Test("A HEAD request with a body is refused, whatever kind of body")
    func headWithBody() throws {
        #expect(throws: PoolError.self) { try EncodedRequest(request(.head), body: "x") }
        let stream = HTTPRequestBody.replayableStream { AsyncStream<[UInt8]> { $0.finish() } }
        #expect(throws: PoolError.self) { try EncodedRequest(request(.head), body: stream) }
        #expect(try EncodedRequest(request(.head), body: .bytes([])).isHead)
    }

    @Test("Fields keep their order, spelling and bytes; an empty one is asked for with a semicolon")
    func fields() throws {
        var fields: HTTPFields = [.accept: "a, b", .cookie: "c=1"]
        fields.append(HTTPField(name: try #require(HTTPField.Name("X-Bytes")), value: [0x61, 0xff, 0x62]))
        fields.append(HTTPField(name: try #require(HTTPField.Name("x-empty")), value: ""))
        fields.append(HTTPField(name: try #require(HTTPField.Name("x-blank")), lenientValue: Array(" \t".utf8)))
        fields.append(HTTPField(name: .cookie, value: "d=2"))
        let encoded = try EncodedRequest(request(.post, "http", "a", "/", fields))
        #expect(encoded.headers.lines[2] == Array("X-Bytes: a".utf8) + [0xff] + Array("b".utf8))
        #expect(
            encoded.headers.texts == [
                "Accept: a, b", "Cookie: c=1", "X-Bytes: a\u{fffd}b", "x-empty;", "x-blank;", "Cookie: d=2",
                "Content-Length: 0",
            ]
        )
    }

    /// Each is refused, or is what it is: nothing of it moves to where it has another meaning.
    static let nasty: [(scheme: String?, authority: String?, path: String?, url: String?)] = [
        (nil, nil, nil, nil), ("http", nil, "/", nil), (nil, "a", "/", nil), ("http", "", "/", nil),
        ("javascript", "a", "/", nil), ("file", "", "/etc/passwd", nil), ("http:", "a", "/", nil),
        ("http+unix", "a", "/", nil), ("http+unix", "/run/x", "/", nil), ("http+unix", "%2F", "/", nil),
        ("http+unix", "%2Frun%00x", "/", nil), ("http+unix", "u@%2Frun", "/", nil), ("http+unix", "%2Fa:81", "/", nil),
        ("unix", "%2Frun", "/", nil), ("http+unixx", "%2Frun", "/", nil), ("http+unix", "%2Frun%2", "/", nil),
        ("http", "u:p@a", "/", nil), ("http", "u@a", "/", nil), ("http", "a@b:80", "/", nil), ("http", "@", "/", nil),
        ("http", "a/b", "/", nil), ("http", "a?b", "/", nil), ("http", "a#b", "/", nil), ("http", "a\\b", "/", nil),
        ("http", "a b", "/", nil), ("http", "a\r\nHost: b", "/", nil), ("http", "a\0b", "/", nil),
        ("http", "a%0d%0a", "/", nil), ("http", "%61", "/", nil), ("http", "a:80:90", "/", nil),
        ("http", "[::1", "/", nil),
        ("http", "[::1]x", "/", nil), ("http", "[::1%25lo]", "/", nil), ("http", "::1", "/", nil),
        ("http", "a:", "/", nil),
        ("http", "a:0", "/", nil), ("http", "a:65536", "/", nil), ("http", "a:-1", "/", nil),
        ("http", "a:８０", "/", nil),
        ("http", "a", "x", nil), ("http", "a", "*", nil), ("http", "a", "@b/", nil), ("http", "a", ":80/", nil),
        ("http", "a", " /", "http://a/"), ("http", "a", "/ HTTP/1.1\r\nX: y", nil), ("http", "a", "/a b", nil),
        ("http", "a", "/\u{7f}", "http://a/"), ("http", "a", "/a\u{7f}b", nil), ("http", "a", "http://b/", nil),
        ("http", "a", "//b/", "http://a//b/"), ("http", "a", "/%0d%0aX:%20y", "http://a/%0d%0aX:%20y"),
        ("http", "a", "/\\..\\", "http://a/\\..\\"), ("http", "a", "/@b", "http://a/@b"),
        ("http", "a", "/?q=http://u:p@b/", "http://a/?q=http://u:p@b/"), ("http", "a..b", "/", "http://a..b/"),
    ]

    @Test("Each address of a corpus of malformed and unusual ones gives its URL, or no request")
    func corpus() {
        for (scheme, authority, path, url) in Self.nasty {
            let encoded = try? EncodedRequest(request(.get, scheme, authority, path))
            #expect(encoded?.urlText == url, "\(scheme ?? "-") \(authority ?? "-") \((path ?? "-").debugDescription)")
        }
    }

    @Test("A control character in a field's value is refused, and not told", arguments: 0..<0x80 as Range<UInt8>)
    func controls(byte: UInt8) throws {
        let value = Array("sEcReT".utf8) + [byte] + Array("x".utf8)
        let field = HTTPField(name: .authorization, lenientValue: value)
        let isHarmless = byte >= 0x20 && byte != 0x7f || [0, 0x09, 0x0a, 0x0d].contains(byte)
        do throws(PoolError) {
            let encoded = try EncodedRequest(request(.get, "http", "a", "/", HTTPFields([field])))
            #expect(isHarmless)
            // The field itself turns what would end a line into a space.
            let sent = [0, 0x0a, 0x0d].contains(byte) ? 0x20 : byte
            #expect(encoded.headers.lines == [Array("Authorization: sEcReT".utf8) + [sent] + Array("x".utf8)])
        } catch {
            #expect(!isHarmless)
            #expect(error.code == .invalidRequest && !error.description.contains("sEcReT"))
        }
    }
}
