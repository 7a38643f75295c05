import HTTPPool
import HTTPTypes
import Testing

@Suite("A redirect")
struct RedirectPolicyTests {
    private let policy = RedirectPolicy.follow(limit: 10)

    private func request(_ method: HTTPRequest.Method = .get, _ address: String = "http://a/b/c?q") -> HTTPRequest {
        let base = URIReference(Array(address.utf8))
        return HTTPRequest(method: method, scheme: base?.scheme, authority: base?.authority, path: base?.target)
    }

    private func answer(_ status: Int, _ location: String? = "/x") -> HTTPResponse {
        var head = HTTPResponse(status: .init(code: status))
        if let location { head.headerFields[.location] = location }
        return head
    }

    private func followed(
        _ head: HTTPResponse,
        to request: HTTPRequest,
        body: HTTPRequestBody = .none
    ) throws -> (HTTPRequest, HTTPRequestBody) {
        guard case .follow(let next, let rest) = try policy.decision(on: head, to: request, body: body, followed: 0)
        else {
            throw NotFollowed()
        }
        return (next, rest)
    }
    private struct NotFollowed: Error {}

    private func bytes(_ body: HTTPRequestBody) -> [UInt8]? {
        if case .bytes(let bytes) = body.content { bytes } else { nil }
    }

    private static let methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options]

    @Test(
        "Which method is sent next, and whether the body goes with it",
        arguments: [301, 302, 303, 307, 308],
        methods
    )
    func method(status: Int, method: HTTPRequest.Method) throws {
        let (next, body) = try followed(answer(status), to: request(method), body: "payload")
        let becomesGet = status == 303 && method != .head || status < 303 && method == .post
        #expect(next.method == (becomesGet ? .get : method))
        let dropsBody = becomesGet || status == 303
        #expect(bytes(body) == (dropsBody ? nil : Array("payload".utf8)))
    }

    @Test(
        "Every other status is an answer, and so is one without an address",
        arguments: [200, 201, 300, 304, 305, 306, 309, 404]
    )
    func answers(status: Int) throws {
        guard case .answer = try policy.decision(on: answer(status), to: request(), body: .none, followed: 0) else {
            Issue.record("\(status) was followed")
            return
        }
        for status in [301, 302, 303, 307, 308] {
            guard case .answer = try policy.decision(on: answer(status, nil), to: request(), body: .none, followed: 99)
            else {
                Issue.record("\(status) without an address was followed")
                return
            }
        }
    }

    @Test("Nothing is followed unless asked for")
    func none() throws {
        let found = try RedirectPolicy.none.decision(on: answer(302), to: request(), body: .none, followed: 0)
        guard case .answer = found else {
            Issue.record("it was followed")
            return
        }
        #expect(RequestOptions().redirects == .none)
    }

    @Test(
        "The address is read from where the request went",
        arguments: [
            ("http://a/b/c?q", "x", "http", "a", "/b/x"), ("http://a/b/c?q", "?x", "http", "a", "/b/c?x"),
            ("http://a/b/c?q", "../../x", "http", "a", "/x"), ("http://a/b/c?q", "#part", "http", "a", "/b/c?q"),
            ("http://a/b/c?q", "//B:81", "http", "B:81", "/"), ("https://a/b", "//b/x?y", "https", "b", "/x?y"),
            ("http://a/b", "HTTPS://b", "HTTPS", "b", "/"), ("http://a/b", "http://b:/x", "http", "b", "/x"),
            ("http://[::1]:80/b", "x", "http", "[::1]:80", "/x"),
            ("http://a", "http://[::1]:8/x", "http", "[::1]:8", "/x"),
            ("http://a/b", "https://b?x#y", "https", "b", "/?x"),
        ]
    )
    func address(from: String, location: String, scheme: String, authority: String, path: String) throws {
        let (next, _) = try followed(answer(302, location), to: request(.get, from))
        #expect(next.scheme == scheme)
        #expect(next.authority == authority)
        #expect(next.path == path)
    }

    @Test(
        "Where it may not lead, with words that repeat nothing of the address",
        arguments: [
            ("", "the Location field is invalid"), (":secret", "the Location field is invalid"),
            ("1secret:x", "the Location field is invalid"),
            ("ftp://secret/", "the target's scheme"), ("file:///secret", "the target's scheme"),
            ("http+unix://%2fsecret/", "the target's scheme"), ("javascript:secret", "the target's scheme"),
            ("mailto:secret@a", "the target's scheme"), ("https://user:secret@b/", "the target contains a user name"),
            ("//secret@b/", "the target contains a user name"), ("//@secret/", "the target contains a user name"),
            (#"https://secret\@b/"#, "the target contains a user name"), ("https:///secret", "the target is invalid"),
            ("https:secret", "the target is invalid"), ("https://", "the target is invalid"),
            ("https://secret:0/", "the target is invalid"), ("https://secret:99999/", "the target is invalid"),
            ("https://sec ret/", "the target is invalid"), ("https://[secret]/", "the target is invalid"),
            ("https://secret%00/", "the target is invalid"), ("https://:", "the target is invalid"),
            ("http://secret/", "the target downgrades https to http"),
            ("HTTP://a/secret", "the target downgrades https to http"),
        ]
    )
    func refused(location: String, words: String) throws {
        let error = try #require(throws: PoolError.self) {
            try followed(answer(302, location), to: request(.get, "https://a/b"))
        }
        #expect(error.code == .redirectRefused)
        #expect(error.reason.hasPrefix("redirect refused: \(words)"))
        #expect(error.origin?.description == "https://a:443")
        #expect(error.phase == .exchange)
        #expect(!"\(error)".contains("secret"))
    }

    @Test("An answer with two addresses is refused")
    func twoAddresses() throws {
        var head = answer(302)
        head.headerFields.append(HTTPField(name: .location, value: "/y"))
        let error = try #require(throws: PoolError.self) { try followed(head, to: request()) }
        #expect(error.code == .redirectRefused)
    }

    @Test("From http+unix nothing leads on, not even to the same socket")
    func unixSocket() throws {
        let error = try #require(throws: PoolError.self) {
            try followed(answer(302), to: request(.get, "http+unix://a/b"))
        }
        #expect(error.code == .redirectRefused || error.code == .invalidRequest)
    }

    @Test("The limit counts what was followed", arguments: [0, 1, 10])
    func limit(limit: Int) throws {
        let policy = RedirectPolicy.follow(limit: limit)
        for followed in 0..<limit {
            _ = try policy.decision(on: answer(302), to: request(), body: .none, followed: followed)
        }
        let error = try #require(throws: PoolError.self) {
            try policy.decision(on: answer(302, "/secret"), to: request(), body: .none, followed: limit)
        }
        #expect(error.code == .tooManyRedirects)
        #expect(error.reason.hasPrefix("the redirect limit of \(limit) "))
        #expect(!"\(error)".contains("secret"))
        guard case .answer = try policy.decision(on: answer(200), to: request(), body: .none, followed: limit) else {
            Issue.record("an answer at the limit is an answer")
            return
        }
    }

    private func fields(_ names: [String]) -> HTTPFields {
        var fields = HTTPFields()
        for name in names.compactMap({ HTTPField.Name($0) }) { fields.append(HTTPField(name: name, value: "secret")) }
        return fields
    }

    private static let bound = ["Authorization", "cookie", "Cookie", "Host", "Proxy-Authorization"]

    @Test(
        "Credentials and a host of one's own stay at their origin",
        arguments: [
            ("/x", true), ("//a/x", true), ("http://A:80/x", true), ("http://a:81/x", false), ("https://a/x", false),
            ("http://b/x", false), ("http://a.b/x", false), ("http://sub.a/x", false),
        ]
    )
    func credentials(location: String, isSameOrigin: Bool) throws {
        var request = request()
        request.headerFields = fields(Self.bound + ["X-Trace", "Accept"])
        let (next, _) = try followed(answer(307, location), to: request)
        #expect(next.headerFields.map(\.name.rawName) == (isSameOrigin ? Self.bound : []) + ["X-Trace", "Accept"])
    }

    private static let described = [
        "Content-Length", "content-type", "Content-Encoding", "Content-Language", "Content-Location", "Content-MD5",
        "Content-Digest", "Repr-Digest", "Digest", "Transfer-Encoding", "Trailer", "Expect", "Last-Modified",
    ]

    @Test(
        "Fields that describe a body go where the body goes",
        arguments: [(303, false), (301, false), (307, true), (308, true)]
    )
    func bodyFields(status: Int, isKept: Bool) throws {
        var request = request(.post)
        request.headerFields = fields(Self.described + ["Accept", "Cookie"])
        let (next, _) = try followed(answer(status), to: request, body: "x")
        #expect(next.headerFields.map(\.name.rawName) == (isKept ? Self.described : []) + ["Accept", "Cookie"])
    }

    @Test(
        "A body that is used up is not repeated; one that can be made again is, and one that is dropped may be either"
    )
    func streams() throws {
        let chunks = AsyncStream<[UInt8]> { $0.finish() }
        for status in [307, 308] {
            let error = try #require(throws: PoolError.self) {
                try followed(answer(status), to: request(.post), body: .stream(chunks))
            }
            #expect(error.code == .redirectRefused)
            let (_, body) = try followed(answer(status), to: request(.post), body: .replayableStream { chunks })
            guard case .stream = body.content else {
                Issue.record("the body is gone")
                return
            }
        }
        #expect(throws: PoolError.self) { try followed(answer(302), to: request(.put), body: .stream(chunks)) }
        for status in [301, 302, 303] { _ = try followed(answer(status), to: request(.post), body: .stream(chunks)) }
    }
}
