import HTTPPool
import HTTPTypes
import TestSupport
import Testing

@testable import CurlPool

@Suite("Default header fields")
struct DefaultHeaderTests {
    private static let name = "User-Agent: PoolScope/\(PoolScopeVersion.current)"

    private func lines(
        _ own: HTTPFields = [:],
        defaults: HTTPFields = [:],
        body: HTTPRequestBody = .none
    ) throws -> [String] {
        let request = request(.get, "http", "a", "/", own)
        return try EncodedRequest(request, body: body, defaults: DefaultHeaders(defaults)).headers.texts
    }

    @Test("The library names itself where nobody else is named")
    func userAgent() throws {
        #expect(try lines() == [Self.name])
        #expect(try lines([.accept: "x"]) == ["Accept: x", Self.name])
        #expect(try lines([.userAgent: "me"]) == ["User-Agent: me"])
        #expect(try lines(defaults: [.userAgent: "us"]) == ["User-Agent: us"])
        #expect(try lines([.userAgent: "me"], defaults: [.userAgent: "us"]) == ["User-Agent: me"])
    }

    @Test("An empty User-Agent is none")
    func noUserAgent() throws {
        #expect(try lines([.userAgent: ""]) == [])
        #expect(try lines(defaults: [.userAgent: ""]) == [])
        #expect(try lines([.userAgent: ""], defaults: [.userAgent: "us", .accept: "x"]) == ["Accept: x"])
        #expect(try lines([.accept: "x"], defaults: [.userAgent: ""]) == ["Accept: x"])
    }

    @Test("A request's own field goes before; two of a name stay together")
    func ownFirst() throws {
        var defaults: HTTPFields = [.accept: "a", .userAgent: "us"]
        defaults.append(HTTPField(name: .acceptLanguage, value: "de"))
        defaults.append(HTTPField(name: .acceptLanguage, value: "en"))
        #expect(
            try lines(defaults: defaults) == [
                "Accept: a", "User-Agent: us", "Accept-Language: de", "Accept-Language: en",
            ]
        )
        #expect(
            try lines([.acceptLanguage: "fr"], defaults: defaults) == [
                "Accept-Language: fr", "Accept: a", "User-Agent: us",
            ]
        )
        #expect(try lines([.accept: ""], defaults: [.accept: "a", .userAgent: ""]) == ["Accept;"])
    }

    @Test("Requests without fields of their own share one list, and those with a body another")
    func shared() throws {
        let defaults = DefaultHeaders([.accept: "a"])
        let first = try EncodedRequest(request(), body: .none, defaults: defaults)
        let second = try EncodedRequest(request(), body: .none, defaults: defaults)
        let third = try EncodedRequest(request(.post), body: "x", defaults: defaults)
        #expect(first.headers === second.headers)
        #expect(first.headers.texts == ["Accept: a", Self.name])
        #expect(third.headers.texts == ["Accept: a", Self.name, "Expect:", "Content-Type:"])
    }

    /// No codings are asked for beside `Range`: Go's net/http and OkHttp's BridgeInterceptor do the same.
    @Test("Codings are asked for where the request leaves that open, and then undone")
    func acceptEncoding() throws {
        let asking = "Accept-Encoding: gzip, deflate, br, zstd"
        func encoded(_ fields: HTTPFields, _ defaults: HTTPFields = [:], unpacks: Bool = true) throws -> (
            Bool, [String]
        ) {
            let defaults = DefaultHeaders(defaults, unpacks: unpacks)
            let encoded = try EncodedRequest(
                request(.get, "http", "a", "/", fields),
                body: .none,
                defaults: defaults
            )
            return (encoded.unpacks, encoded.headers.texts.filter { $0.lowercased().hasPrefix("accept-encoding") })
        }
        #expect(try encoded([:]) == (true, [asking]))
        #expect(try encoded([.accept: "x"]) == (true, [asking]))
        #expect(try encoded([:], [.accept: "x"]) == (true, [asking]))
        #expect(try encoded([.range: "bytes=0-1"]) == (false, []))
        #expect(try encoded([:], [.range: "bytes=0-1"]) == (false, []))
        #expect(try encoded([.acceptEncoding: "gzip"]) == (false, ["Accept-Encoding: gzip"]))
        #expect(try encoded([.acceptEncoding: ""]) == (false, ["Accept-Encoding;"]))
        #expect(try encoded([:], [.acceptEncoding: "br"]) == (false, ["Accept-Encoding: br"]))
        #expect(try encoded([.accept: "x"], [.acceptEncoding: "br"]) == (false, ["Accept-Encoding: br"]))
        #expect(try encoded([:], unpacks: false) == (false, []))
        let head = request(.head, "http", "a", "/")
        let encodedHead = try EncodedRequest(head, body: .none, defaults: DefaultHeaders([:], unpacks: true))
        #expect(!encodedHead.unpacks)
        #expect(encodedHead.headers.texts.contains(asking))
    }

    @Test("What may not be a default is told when the pool is made, all of it, and no value is shown")
    func refused() throws {
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = 0
        configuration.transport.defaultHeaders = [
            .contentLength: "sEcReT", .transferEncoding: "sEcReT", .expect: "sEcReT", .accept: "good",
        ]
        let host = try #require(HTTPField.Name("host"))
        configuration.transport.defaultHeaders.append(HTTPField(name: host, value: "sEcReT"))
        let control = HTTPField(name: .authorization, lenientValue: Array("sEcReT\u{1}".utf8))
        configuration.transport.defaultHeaders.append(control)
        let error = try #require(throws: ConfigurationError.self) { try CurlClient(configuration) }
        #expect(
            error.problems.map(\.name)
                == ["limits.maxConnections"] + Array(repeating: "transport.defaultHeaders", count: 5)
        )
        #expect(
            error.problems.dropFirst().map(\.value)
                == ["Content-Length", "Transfer-Encoding", "Expect", "host", "Authorization"]
        )
        #expect(!error.description.contains("sEcReT"))
    }

    @Test("They are on the wire")
    func onTheWire() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while let (head, _) = try connection.readRequest() { connection.answer(head) }
        }
        let configuration = PoolConfiguration.with { $0.transport.defaultHeaders = [.acceptLanguage: "de"] }
        try await withPool(configuration) { pool, _ in
            let plain = try await pool.execute(get(peer)).text
            #expect(plain.contains("\r\nAccept-Language: de\r\n"))
            #expect(plain.contains("\r\n\(Self.name)\r\n"))
            var request = get(peer)
            request.headerFields = [.acceptLanguage: "en", .userAgent: ""]
            let other = try await pool.execute(request).text
            #expect(other.contains("\r\nAccept-Language: en\r\n"))
            #expect(!other.contains("Language: de"))
            #expect(!other.lowercased().contains("user-agent"))
        }
    }
}
