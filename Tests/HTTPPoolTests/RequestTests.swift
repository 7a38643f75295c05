import HTTPPool
import HTTPTypes
import Testing

@Suite("Requests in few words")
struct RequestTests {
    @Test(
        "A URL becomes a request",
        arguments: [
            ("https://a.example/x?y=1#z", "https", "a.example", "/x?y=1"),
            ("HTTP://A:8080", "HTTP", "A:8080", "/"), ("http://[::1]:80/ü b", "http", "[::1]:80", "/%C3%BC%20b"),
            ("http://a?q", "http", "a", "/?q"),
        ]
    )
    func urls(url: String, scheme: String, authority: String, path: String) throws {
        let request = try HTTPRequest(url: url)
        #expect(request.scheme == scheme && request.authority == authority && request.path == path)
        #expect(request.method == .get)
    }

    @Test(
        "What is no URL of a server is refused with an error that does not repeat it",
        arguments: [
            "", "/secret", "a.example/secret", "ftp://a/secret", "http://", "http://u:secret@a/", "http://a:0/secret",
            "http://a/\u{0}secret", "mailto:secret",
        ]
    )
    func noURL(url: String) throws {
        let error = try #require(throws: PoolError.self) { try HTTPRequest(url: url) }
        #expect(error.code == .invalidRequest && !"\(error)".contains("secret"))
    }

    @Test("Timeouts that are not set are the client's, and the others go before them")
    func timeouts() {
        var client = PoolTimeouts()
        client.read = .seconds(7)
        client.total = .seconds(60)
        var own = RequestTimeouts()
        #expect(own.over(client) == client && own.areInherited)
        own.connect = .milliseconds(5)
        own.total = .none
        #expect(own.over(client).connect == .milliseconds(5) && own.over(client).read == .seconds(7))
        #expect(own.over(client).total == nil)
        own.total = .inherited
        #expect(own.over(client).total == .seconds(60))
        var other = RequestTimeouts()
        other.acquire = .zero
        other.connect = .milliseconds(5)
        own.acquire = .after(.zero)
        #expect(own == other && own.hashValue == other.hashValue)
        #expect(RequestTimeouts(client).over(PoolTimeouts()) == client)
    }

    @Test("Bodies and responses never print what is in them")
    func secrets() {
        let bodies: [any CustomStringConvertible] = [
            HTTPRequestBody.text("secret"), HTTPRequestBody.form(["secret": "secret"]),
            HTTPResponseBody(bytes: Array("secret".utf8)),
            PooledResponse(
                head: HTTPResponse(status: .ok, headerFields: [.setCookie: "secret"]),
                body: HTTPResponseBody(bytes: Array("secret".utf8))
            ),
        ]
        for body in bodies {
            var dumped = ""
            dump(body, to: &dumped)
            #expect(!"\(body)\(String(reflecting: body))\([body])\(dumped)".contains("secret"))
        }
        #expect("\(HTTPRequestBody.text("secret"))" == "6 bytes" && "\(HTTPRequestBody.none)" == "no body")
    }

    @Test("A body can be read from outside, whatever it is")
    func content() async throws {
        let chunks = AsyncStream<[UInt8]> { continuation in
            for chunk in [[1], [2, 3]] as [[UInt8]] { continuation.yield(chunk) }
            continuation.finish()
        }
        guard case .stream(let stream) = HTTPRequestBody.stream(chunks, length: 3).content else {
            Issue.record("it is a stream")
            return
        }
        #expect(stream.length == 3 && !stream.isReplayable)
        let received = Received()
        try await stream.write { await received.append($0) }
        #expect(await received.bytes == [1, 2, 3])
    }

    private actor Received {
        private(set) var bytes: [UInt8] = []
        func append(_ chunk: [UInt8]) { bytes += chunk }
    }
}
