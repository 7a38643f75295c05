import HTTPPool
import HTTPTypes
import PoolMetrics
import Synchronization
import TestSupport
import Testing

/// Methods and bodies over redirects, over retries, and one after the other on a connection.
@Suite("Methods that change")
struct MethodChangeTests {
    /// Requests as they arrived: the line, the fields that speak of a body, the body.
    private final class Arrivals: Sendable {
        private let requests = Mutex<[String]>([])
        var all: [String] { requests.withLock { $0 } }

        @discardableResult
        func read(from connection: ScriptedPeer.Connection) throws -> String? {
            guard let head = try connection.readHeadOnly() else { return nil }
            let lines = head.split(separator: "\r\n").map(String.init)
            let isChunked = head.lowercased().contains("transfer-encoding: chunked")
            let body = isChunked ? try connection.readChunks() : try connection.readBody(of: head) ?? []
            let fields = lines.dropFirst().filter {
                $0.lowercased().hasPrefix("content-") || $0.lowercased().hasPrefix("transfer-")
                    || $0.lowercased().hasPrefix("expect")
            }
            let request = ([lines[0]] + fields + [String(decoding: body, as: UTF8.self)]).joined(separator: "|")
            requests.withLock { $0.append(request) }
            return lines[0]
        }
    }

    private static func stream(_ text: String, length: Int? = nil) -> HTTPRequestBody {
        .stream(
            AsyncStream<[UInt8]> { continuation in
                continuation.yield(Array(text.utf8))
                continuation.finish()
            },
            length: length
        )
    }

    /// What a redirect makes of a method (RFC 9110, 15.4.2 to 15.4.9).
    static let redirects: [(method: HTTPRequest.Method, status: Int, next: String)] = [
        (.post, 301, "GET"), (.post, 302, "GET"), (.post, 303, "GET"), (.post, 307, "POST"), (.post, 308, "POST"),
        (.put, 301, "PUT"), (.put, 302, "PUT"), (.put, 303, "GET"), (.put, 308, "PUT"),
        (.delete, 301, "DELETE"), (.delete, 302, "DELETE"), (.delete, 303, "GET"), (.delete, 307, "DELETE"),
        (.patch, 301, "PATCH"), (.patch, 303, "GET"), (.trace, 302, "TRACE"), (.options, 303, "GET"),
        (.head, 301, "HEAD"), (.head, 302, "HEAD"), (.head, 303, "HEAD"), (.head, 307, "HEAD"), (.head, 308, "HEAD"),
    ]

    // psf/requests #3490; AsyncHttpClient/async-http-client #1728; urllib3/urllib3 #5161.
    @Test(
        "A redirect keeps method and body, or drops the body with all that speaks of it",
        arguments: redirects.indices
    )
    func redirected(index: Int) async throws {
        let (method, status, next) = Self.redirects[index]
        let arrivals = Arrivals()
        let peer = try ScriptedPeer { connection, _ in
            while let line = try arrivals.read(from: connection) {
                if line.contains("/old") {
                    connection.write("HTTP/1.1 \(status) Moved\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n")
                } else if line.hasPrefix("HEAD") {
                    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
                } else {
                    connection.answer("")
                }
            }
        }
        var options = RequestOptions()
        options.redirects = .follow(limit: 1)
        let hasBody = method != .head && method != .trace
        try await withMeasuredPool { client in
            var request = HTTPRequest.to(peer.authority, "/old", method: method)
            if hasBody { request.headerFields[.contentType] = "text/plain" }
            let response = try await client.fetch(request, body: hasBody ? "hello" : .none, options: options)
            #expect(response.status == 200)
            let keepsBody = hasBody && next == method.rawValue
            #expect(
                arrivals.all.last?.hasPrefix("\(next) /new HTTP/1.1|") == true && arrivals.all.count == 2,
                "\(arrivals.all)"
            )
            let fields = arrivals.all.last?.lowercased() ?? ""
            #expect(fields.contains("content-type") == keepsBody, "\(arrivals.all)")
            #expect(fields.contains("content-length: 5") == keepsBody, "\(arrivals.all)")
            #expect(fields.hasSuffix("|hello") == keepsBody, "\(arrivals.all)")
            try await client.becomes(idle: 1)
        }
    }

    // RFC 9110, 15.4.8; aio-libs/aiohttp #12195.
    @Test(
        "A redirect that would repeat a body that is used up is an error, and nothing is sent",
        arguments: [307, 308]
    )
    func usedUpBody(status: Int) async throws {
        let arrivals = Arrivals()
        let peer = try ScriptedPeer { connection, _ in
            while try arrivals.read(from: connection) != nil {
                connection.write("HTTP/1.1 \(status) Moved\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n")
            }
        }
        var options = RequestOptions()
        options.redirects = .follow(limit: 1)
        try await withMeasuredPool { client in
            let error = try await poolError {
                let request = HTTPRequest.to(peer.authority, "/old", method: .post)
                _ = try await client.fetch(request, body: Self.stream("hello"), options: options)
            }
            #expect(error.code == .redirectRefused)
            #expect(arrivals.all.count == 1)
            try await client.becomes(idle: 1)
        }
    }

    // RFC 9110, 15.4.8: from its beginning, though the first peer took only part of it.
    @Test("A redirect in the middle of an upload: the whole body goes to the new place")
    func redirectedInUpload() async throws {
        let whole = Counter()
        let target = try ScriptedPeer { connection, _ in
            while let (_, body) = try connection.readRequest() {
                whole.add(body.count)
                connection.answer("there")
            }
        }
        let peer = try ScriptedPeer { connection, _ in
            guard try connection.readHeadOnly() != nil, connection.waitForMore() else { return }
            let location = "Location: http://\(target.authority)/\r\n"
            connection.write("HTTP/1.1 307 Moved\r\n\(location)Content-Length: 0\r\n\r\n")
            connection.waitForEnd()
        }
        var options = RequestOptions()
        options.redirects = .follow(limit: 1)
        try await withMeasuredPool { client in
            let body = HTTPRequestBody.bytes([UInt8](repeating: 0x78, count: 8 << 20))
            let response = try await client.fetch(.to(peer.authority, method: .put), body: body, options: options)
            #expect(response.text == "there")
            #expect(whole.value == 8 << 20)
            try await client.becomes(idle: 1)
        }
    }

    // CVE-2022-32221, CVE-2023-28322: libcurl's handles remembered the request before.
    @Test("Requests one after the other on a connection have nothing of each other")
    func oneAfterTheOther() async throws {
        let arrivals = Arrivals()
        let peer = try ScriptedPeer { connection, _ in
            while let line = try arrivals.read(from: connection) {
                if line.hasPrefix("HEAD") {
                    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
                } else {
                    connection.answer("ok")
                }
            }
        }
        let large = String(repeating: "y", count: 40_000)
        let steps: [(method: HTTPRequest.Method, body: HTTPRequestBody, arrives: String)] = [
            (.put, Self.stream("one"), "PUT / HTTP/1.1|Transfer-Encoding: chunked|one"),
            (.post, "two", "POST / HTTP/1.1|Content-Length: 3|two"),
            (.get, .none, "GET / HTTP/1.1|"),
            (.head, .none, "HEAD / HTTP/1.1|"),
            (.get, .none, "GET / HTTP/1.1|"),
            (.post, Self.stream("three", length: 5), "POST / HTTP/1.1|Content-Length: 5|three"),
            (.delete, .none, "DELETE / HTTP/1.1|"),
            (.put, .bytes(Array(large.utf8)), "PUT / HTTP/1.1|Content-Length: 40000|\(large)"),
            (.post, .none, "POST / HTTP/1.1|Content-Length: 0|"),
            (.options, .none, "OPTIONS / HTTP/1.1|"),
            (.get, Self.stream("four"), "GET / HTTP/1.1|Transfer-Encoding: chunked|four"),
            (.get, .none, "GET / HTTP/1.1|"),
            (.patch, .none, "PATCH / HTTP/1.1|Content-Length: 0|"),
            (.head, .none, "HEAD / HTTP/1.1|"),
            (.post, Self.stream(""), "POST / HTTP/1.1|Transfer-Encoding: chunked|"),
        ]
        try await withMeasuredPool { client in
            for step in steps {
                let response = try await client.fetch(.to(peer.authority, method: step.method), body: step.body)
                #expect(response.text == (step.method == .head ? "" : "ok"))
            }
            #expect(arrivals.all == steps.map(\.arrives))
            let origin = try client.onlyOrigin
            #expect(origin.connectionsOpened == 1)
        }
    }

    // RFC 9112, 6.3.
    @Test("A body that is not as long as it says never reaches into the next request", arguments: [5, 15])
    func wrongLength(given: Int) async throws {
        let bytes = Counter()
        let peer = try ScriptedPeer { connection, _ in
            guard let head = try connection.readHeadOnly() else { return }
            if head.hasPrefix("GET ") { return connection.answer("next") }
            if let body = try connection.readBody(of: head) {
                bytes.add(body.count)
                connection.waitForEnd()
            }
        }
        try await withMeasuredPool {
            $0.timeouts.read = .seconds(2)
        } _: { client in
            let error = try await poolError {
                let body = Self.stream(String(repeating: "x", count: given), length: 10)
                _ = try await client.fetch(.to(peer.authority, method: .post), body: body)
            }
            #expect(error.code == .invalidRequest, "\(error)")
            #expect(bytes.value <= 10)
            try await client.becomes()
            let next = try await client.fetch(.to(peer.authority))
            #expect(next.text == "next")
            let origin = try client.onlyOrigin
            #expect(origin.connectionsOpened == 2)
        }
    }

    // RFC 9110, 9.2.2; nahi/httpclient #142, JuliaWeb/HTTP.jl #207.
    @Test("A POST that a dying connection took is sent once, and an upload that it cut off is sent again as a whole")
    func dyingConnection() async throws {
        let posts = Counter()
        let whole = Counter()
        let peer = try ScriptedPeer { connection, number in
            while let head = try connection.readHeadOnly() {
                if head.hasPrefix("POST") {
                    _ = try connection.readBody(of: head)
                    posts.add(1)
                    return
                } else if head.hasPrefix("PUT"), number == 1 {
                    _ = connection.waitForMore()
                    return connection.reset()
                } else {
                    if let body = try connection.readBody(of: head) { whole.add(body.count) }
                    connection.answer("ok")
                }
            }
        }
        try await withMeasuredPool { client in
            _ = try await client.fetch(.to(peer.authority))
            let error = try await poolError {
                _ = try await client.fetch(.to(peer.authority, method: .post), body: "once")
            }
            #expect(error.code == .connectionLost)
            #expect(posts.value == 1)
            _ = try await client.fetch(.to(peer.authority))
            let body = HTTPRequestBody.bytes([UInt8](repeating: 0x78, count: 8 << 20))
            let response = try await client.fetch(.to(peer.authority, method: .put), body: body)
            #expect(response.text == "ok")
            #expect(whole.value == 8 << 20)
            let origin = try client.onlyOrigin
            #expect(origin.connectionsOpened == 3)
            #expect(origin.staleRetries == 1)
        }
    }
}
