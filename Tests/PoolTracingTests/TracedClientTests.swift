import CurlPool
import HTTPPool
import HTTPRetry
import HTTPTypes
import PoolMetrics
import PoolTracing
import Synchronization
import TestSupport
import Testing
import Tracing

/// Keeps what it is asked, and responds with a status and a body that the test gives.
private final class RecordingClient: PooledHTTPClient {
    private let requests = Mutex<[HTTPRequest]>([])
    private let respond: @Sendable () throws -> PooledResponse
    private let context = Mutex<[ServiceContext?]>([])
    private let options = Mutex<[RequestOptions]>([])

    init(_ respond: @escaping @Sendable () throws -> PooledResponse) { self.respond = respond }

    convenience init(status: Int) {
        self.init { PooledResponse(head: HTTPResponse(status: .init(code: status)), body: HTTPResponseBody(bytes: [])) }
    }

    var seen: [HTTPRequest] { requests.withLock { $0 } }
    var contexts: [ServiceContext?] { context.withLock { $0 } }
    var seenOptions: [RequestOptions] { options.withLock { $0 } }

    func execute(_ request: HTTPRequest, body _: HTTPRequestBody, options: RequestOptions) async throws
        -> PooledResponse
    {
        self.options.withLock { $0.append(options) }
        requests.withLock { $0.append(request) }
        context.withLock { $0.append(ServiceContext.current) }
        return try respond()
    }
}

/// A body in two chunks, which may fail at its end.
private final class TwoChunks: ResponseBodySource {
    private let rest = Mutex<[[UInt8]]>([[1], [2]])
    private let error: (any Error)?
    let discarded = Counter()

    init(failing error: (any Error)? = nil) { self.error = error }

    func next() async throws -> [UInt8]? {
        if let chunk = rest.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { return chunk }
        if let error { throw error }
        return nil
    }
    func collect(upTo _: Int) async throws -> [UInt8] {
        var all: [UInt8] = []
        while let chunk = try await next() { all += chunk }
        return all
    }
    func discard() { discarded.add(1) }
}

@Suite("A traced client")
struct TracedClientTests {
    private let tracer = KeepingTracer()
    private let traceparent: HTTPField.Name

    init() throws { traceparent = try #require(HTTPField.Name("traceparent")) }

    private func streaming(_ source: TwoChunks, status: Int = 200) -> TracedClient {
        TracedClient(
            RecordingClient {
                PooledResponse(head: HTTPResponse(status: .init(code: status)), body: HTTPResponseBody(source: source))
            },
            tracer: tracer
        )
    }

    @Test("A request is a client span with the attributes of OpenTelemetry's conventions")
    func attributes() async throws {
        let client = TracedClient(RecordingClient(status: 200), tracer: tracer)
        _ = try await client.execute("HTTPS://API.example.com/items/7", site: "catalog")
        let span = try #require(tracer.spans.first)
        #expect(tracer.spans.count == 1)
        #expect(span.operationName == "GET")
        #expect(span.kind == .client)
        #expect(
            span.texts == [
                "http.request.method": "GET", "url.full": "https://api.example.com/items/7",
                "server.address": "api.example.com", "server.port": "443", "http.response.status_code": "200",
                "http_client_pool.site": "catalog",
            ]
        )
        #expect(span.now.status == nil)
        #expect(span.now.ends == 1)
    }

    @Test(
        "Ports, IPv6 addresses and Unix domain sockets are written as the conventions ask",
        arguments: [
            ("http://a:8080/x", "http://a:8080/x", "a", "8080"),
            ("http://[::1]/x", "http://[::1]/x", "::1", "80"),
            ("http+unix://%2Frun%2Fd.sock/x", "http+unix://%2Frun%2Fd.sock/x", "/run/d.sock", nil),
            ("http://a", "http://a/", "a", "80"),
        ]
    )
    func addresses(url: String, full: String, address: String, port: String?) async throws {
        let client = TracedClient(RecordingClient(status: 200), tracer: tracer)
        _ = try await client.execute(url)
        let texts = try #require(tracer.spans.first).texts
        #expect(texts["url.full"] == full)
        #expect(texts["server.address"] == address)
        #expect(texts["server.port"] == port)
    }

    @Test("A method that is not a known one does not become a name")
    func otherMethod() async throws {
        let client = TracedClient(RecordingClient(status: 200), tracer: tracer)
        _ = try await client.execute("http://a/", method: #require(HTTPRequest.Method("get")))
        let span = try #require(tracer.spans.first)
        #expect(span.operationName == "HTTP")
        #expect(span.texts["http.request.method"] == "_OTHER")
        #expect(span.texts["http.request.method_original"] == "get")
    }

    @Test("No secret of a request, a response or an error is in a span", arguments: [200, 404, nil])
    func secrets(status: Int?) async throws {
        let fields: HTTPFields = [.authorization: "Bearer s3cret-field", .cookie: "s3cret-cookie"]
        let inner = RecordingClient {
            guard let status else { throw TestFailure("s3cret-error") }
            return PooledResponse(
                head: HTTPResponse(status: .init(code: status), headerFields: [.setCookie: "s3cret-set"]),
                body: HTTPResponseBody(bytes: Array("s3cret-body".utf8))
            )
        }
        let client = TracedClient(inner, tracer: tracer)
        _ = try? await client.execute(
            "https://example.com/p?token=s3cret-query#s3cret-fragment",
            headers: fields,
            body: .bytes(Array("s3cret-upload".utf8))
        )
        // With userinfo, which only a request in parts can have.
        let request = HTTPRequest(
            method: .get,
            scheme: "https",
            authority: "user:s3cret-password@example.com",
            path: "/p?s3cret-second#s3cret-third",
            headerFields: fields
        )
        _ = try? await client.execute(request)
        #expect(tracer.spans.count == 2)
        for span in tracer.spans {
            let all = "\(span.texts) \(span.operationName) \(span.now.status?.message ?? "")"
            #expect(!all.contains("s3cret"), "\(all)")
            #expect(span.now.errors == 0 && span.now.events == 0)
            #expect(span.now.ends == 1)
        }
        #expect(tracer.spans[0].texts["url.full"] == "https://example.com/p")
        #expect(tracer.spans[1].texts["url.full"] == nil)
    }

    @Test("The context is injected once, instead of another one, and is current for the wrapped client")
    func injection() async throws {
        let inner = RecordingClient(status: 200)
        let client = TracedClient(TracedClient(inner, tracer: tracer), tracer: tracer)
        let parent = tracer.startSpan("parent")
        try await ServiceContext.withValue(parent.context) {
            _ = try await client.execute("http://a/", headers: [traceparent: "foreign"])
        }
        // The inner one of two traced clients made no span.
        #expect(tracer.spans.map(\.operationName) == ["parent", "GET"])
        #expect(tracer.spans[1].parent == parent.id)
        #expect(inner.seen.first?.headerFields[values: traceparent] == [KeepingTracer.field(of: 1)])
        #expect(inner.contexts.first??[KeepingTracer.SpanID.self] == 1)
        #expect(ServiceContext.current == nil)
    }

    @Test("A status from 400 on is an error of its number", arguments: [(399, nil), (400, "400"), (503, "503")])
    func errorStatus(status: Int, type: String?) async throws {
        _ = try await TracedClient(RecordingClient(status: status), tracer: tracer).execute("http://a/")
        let span = try #require(tracer.spans.first)
        #expect(span.texts["error.type"] == type)
        #expect(span.now.status?.code == (type == nil ? nil : .error))
        #expect(span.now.status?.message == nil)
        #expect(span.texts["http.response.status_code"] == "\(status)")
    }

    @Test("A request that failed is an error of its code, with the text of the error")
    func failure() async throws {
        let client = TracedClient(
            RecordingClient { throw PoolError(.acquireTimeout, "no connection", phase: .acquire) },
            tracer: tracer
        )
        let error = try await poolError { _ = try await client.execute("http://a/") }
        let span = try #require(tracer.spans.first)
        #expect(span.texts["error.type"] == "acquireTimeout")
        #expect(span.now.status == SpanStatus(code: .error, message: error.description))
        #expect(span.texts["http.response.status_code"] == nil)
        #expect(span.now.ends == 1)
    }

    @Test("A request that was cancelled while it waited is an error of the type cancelled")
    func cancelled() async throws {
        let peer = try ScriptedPeer { connection, _ in connection.waitForEnd() }
        let pool = try CurlClient()
        let client = TracedClient(pool, tracer: tracer)
        let url = "http://\(peer.authority)/"
        let task = Task { try await client.execute(url) }
        try await eventually("the peer has the request") { peer.connections > 0 }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        let span = try #require(tracer.spans.first)
        #expect(span.texts["error.type"] == "cancelled")
        #expect(span.now.status?.code == .error)
        #expect(span.now.ends == 1)
        await pool.shutdown(.immediate)
        try await peer.stop()
    }

    @Test("Each attempt of a client that retries is a span of its own, with its number")
    func retries() async throws {
        let scripted = ScriptedClient([.answer(503), .failure(.connectFailed), .answer(200)])
        var policy = RetryPolicy()
        policy.base = .zero
        let client = RetryingClient(
            TracedClient(scripted, tracer: tracer),
            configuration: { PoolConfiguration() },
            policy: policy
        )
        let response = try await client.execute("http://a/")
        #expect(response.status == .ok)
        #expect(tracer.spans.map { $0.texts["http.request.resend_count"] } == [nil, "1", "2"])
        #expect(tracer.spans.map { $0.texts["error.type"] } == ["503", "connectFailed", nil])
        #expect(scripted.attempts.map(\.resendCount) == [0, 1, 2])
        response.body.discard()
        #expect(tracer.spans.map(\.now.ends) == [1, 1, 1])
    }

    @Test("The span ends with the last byte of a streamed body, by chunks or as a whole")
    func streamed() async throws {
        let body = try await streaming(TwoChunks()).execute("http://a/").body
        var chunks = body.makeAsyncIterator()
        #expect(try await chunks.next() == [1])
        #expect(try await chunks.next() == [2])
        #expect(tracer.spans[0].now.ends == 0)
        #expect(try await chunks.next() == nil)
        #expect(tracer.spans[0].now.ends == 1)

        let whole = try await streaming(TwoChunks()).execute("http://a/").body
        #expect(tracer.spans[1].now.ends == 0)
        #expect(try await whole.collect() == [1, 2])
        #expect(tracer.spans[1].now.ends == 1)
        #expect(tracer.spans.allSatisfy { $0.now.status == nil })
    }

    @Test("The span ends when the body is discarded or released")
    func dropped() async throws {
        let source = TwoChunks()
        let response = try await streaming(source).execute("http://a/")
        response.body.discard()
        #expect(source.discarded.value == 1)
        #expect(tracer.spans[0].now.ends == 1)
        var released: PooledResponse? = try await streaming(TwoChunks()).execute("http://a/")
        #expect(released != nil && tracer.spans[1].now.ends == 0)
        released = nil
        #expect(tracer.spans[1].now.ends == 1)
        #expect(tracer.spans.allSatisfy { $0.now.status == nil })
    }

    @Test("A body that fails is an error, also after a status that is none")
    func failingBody() async throws {
        let lost = PoolError(.connectionLost, "the connection broke", phase: .exchange)
        let response = try await streaming(TwoChunks(failing: lost)).execute("http://a/")
        #expect(try await poolError { _ = try await response.body.collect() } == lost)
        let span = tracer.spans[0]
        #expect(span.texts["http.response.status_code"] == "200")
        #expect(span.texts["error.type"] == "connectionLost")
        #expect(span.now.status?.code == .error)
        #expect(span.now.ends == 1)
    }

    @Test("A second reader that is refused does not end the span of the first one")
    func secondReader() async throws {
        let refused = PoolError(.invalidRequest, "there is a reader", phase: .exchange)
        let response = try await streaming(TwoChunks(failing: refused)).execute("http://a/")
        _ = try? await response.body.collect()
        #expect(tracer.spans[0].now.ends == 0)
        response.body.discard()
        #expect(tracer.spans[0].now.ends == 1)
        #expect(tracer.spans[0].now.status == nil)
    }

    @Test("A span says how the request got its connection, if the client knows")
    func connection() async throws {
        let connection = ResponseConnection(
            kind: .new,
            waited: .milliseconds(1500),
            opening: .milliseconds(250),
            httpVersion: "2"
        )
        let inner = RecordingClient {
            PooledResponse(
                head: HTTPResponse(status: .ok),
                body: HTTPResponseBody(source: TwoChunks()),
                connection: connection
            )
        }
        let response = try await TracedClient(inner, tracer: tracer).execute("http://a/")
        #expect(response.connection == connection)
        let texts = tracer.spans[0].texts
        #expect(texts["network.protocol.version"] == "2")
        #expect(texts["http_client_pool.acquire.kind"] == "new")
        #expect(texts["http_client_pool.acquire.wait"] == "1.5")
        #expect(texts["http_client_pool.connect.duration"] == "0.25")
        #expect(texts["network.peer.address"] == nil)
    }

    @Test("A span of the pool's request has the version, the acquisition and the peer")
    func connectionOfThePool() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil {
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            }
        }
        let pool = try CurlClient()
        let client = TracedClient(pool, tracer: tracer)
        for _ in 0..<2 { _ = try await client.execute("http://\(peer.authority)/") }
        let texts = tracer.spans.map(\.texts)
        let (address, port) = (peer.authority.split(separator: ":")[0], peer.authority.split(separator: ":")[1])
        for texts in texts {
            #expect(texts["network.protocol.version"] == "1.1")
            #expect(texts["network.peer.address"] == String(address))
            #expect(texts["network.peer.port"] == String(port))
            #expect(texts["http_client_pool.acquire.wait"].flatMap(Double.init) ?? -1 >= 0)
        }
        #expect(texts.map { $0["http_client_pool.acquire.kind"] } == ["new", "reused"])
        let opened = texts.map { $0["http_client_pool.connect.duration"].flatMap(Double.init) }
        #expect(opened[0] ?? 0 > 0 && opened[1] == nil)
        await pool.shutdown(.immediate)
        try await peer.stop()
    }

    @Test(
        "A span of a failed request has the phase, and the wait if it never had a connection",
        arguments: [(.acquire, "2.5"), (.connect, "2.5"), (.exchange, nil), (.submit, nil)]
            as [(PoolError.Phase, String?)]
    )
    func failurePhase(phase: PoolError.Phase, wait: String?) async throws {
        let client = TracedClient(
            RecordingClient { throw PoolError(.totalTimeout, "late", phase: phase, elapsed: .milliseconds(2500)) },
            tracer: tracer
        )
        _ = try await poolError { _ = try await client.execute("http://a/") }
        #expect(tracer.spans[0].texts["http_client_pool.phase"] == phase.rawValue)
        #expect(tracer.spans[0].texts["http_client_pool.acquire.wait"] == wait)
    }

    @Test("Without a tracer requests and responses are passed on as they are")
    func noTracer() async throws {
        let inner = RecordingClient(status: 200)
        _ = try await TracedClient(inner, tracer: NoOpTracer()).execute("http://a/")
        // None is bootstrapped in the tests.
        _ = try await TracedClient(inner).execute("http://a/")
        // Not even wrapped, unless there is a tracer.
        #expect(inner.traced() is RecordingClient)
        #expect(inner.traced(by: NoOpTracer()) is RecordingClient)
        #expect(inner.traced(by: tracer) is TracedClient)
        #expect(inner.seenOptions == [RequestOptions(), RequestOptions()])
        #expect(inner.seen.allSatisfy { $0.headerFields[traceparent] == nil })
    }

    @Test("With the pool: the peer receives the context, and the fields of the response are still there")
    func throughThePool() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while let request = try connection.readRequest() {
                let field = request.head.split(separator: "\r\n").first { $0.hasPrefix("traceparent: ") } ?? ""
                connection.write("HTTP/1.1 200 OK\r\nX-Seen: \(field)\r\nContent-Length: 300000\r\n\r\n")
                connection.write(String(repeating: "x", count: 300_000))
            }
        }
        let pool = try CurlClient()
        let client = try InstrumentedClient(TracedClient(pool, tracer: tracer), pool: pool, registry: PoolRegistry())
        let response = try await client.execute("http://\(peer.authority)/")
        #expect(tracer.spans[0].now.ends == 0)
        #expect(try await response.body.collect().count == 300_000)
        #expect(tracer.spans[0].now.ends == 1)
        let seen = try #require(HTTPField.Name("X-Seen"))
        #expect(response.headers[seen] == "traceparent: \(KeepingTracer.field(of: 0))")
        await client.shutdown(.immediate)
        try await peer.stop()
    }
}
