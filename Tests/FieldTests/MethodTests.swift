import HTTPPool
import HTTPTypes
import PoolMetrics
import Synchronization
import TestSupport
import Testing

/// The method that was asked for arrives, whatever the body and whichever way it goes (RFC 9110, 9.3.1).
@Suite("Methods")
struct MethodTests {
    /// A request's body: how a caller may spell it.
    enum Body: String, CaseIterable, Sendable {
        case none, empty, bytes, large, text, stream, streamOfKnownLength, replayable

        static let largeCount = 40_000

        var body: HTTPRequestBody {
            switch self {
            case .none: .none
            case .empty: .bytes([])
            case .bytes: .bytes(Array("hello".utf8))
            case .large: .bytes([UInt8](repeating: 0x78, count: Self.largeCount))
            case .text: "hello"
            case .stream: .stream(Self.chunks())
            case .streamOfKnownLength: .stream(Self.chunks(), length: 5)
            case .replayable: .replayableStream(length: 5) { Self.chunks() }
            }
        }

        var content: String {
            switch self {
            case .none, .empty: ""
            case .large: String(repeating: "x", count: Self.largeCount)
            default: "hello"
            }
        }

        /// Whether it may be sent a second time.
        var isReplayable: Bool { self != .stream && self != .streamOfKnownLength }

        private static func chunks() -> AsyncStream<[UInt8]> {
            AsyncStream { continuation in
                continuation.yield(Array("he".utf8))
                continuation.yield(Array("llo".utf8))
                continuation.finish()
            }
        }
    }

    /// A method with a body that it may have. HEAD has none.
    struct Case: Sendable, CustomStringConvertible {
        let method: HTTPRequest.Method
        let body: Body
        var description: String { "\(method) \(body)" }
    }

    static let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get"]
    static let cases: [Case] = methods.compactMap { HTTPRequest.Method($0) }.flatMap { method in
        Body.allCases.filter { method != .head || $0.content.isEmpty }.map { Case(method: method, body: $0) }
    }

    /// What arrived at a peer.
    private final class Arrivals: Sendable {
        private let requests = Mutex<[(line: String, body: String)]>([])
        var all: [(line: String, body: String)] { requests.withLock { $0 } }

        func read(from connection: ScriptedPeer.Connection) throws -> (line: String, head: String)? {
            guard let head = try connection.readHeadOnly() else { return nil }
            let line = String(head.prefix { $0 != "\r\n" })
            let isChunked = head.lowercased().contains("transfer-encoding: chunked")
            let body = isChunked ? try connection.readChunks() : try connection.readBody(of: head) ?? []
            requests.withLock { $0.append((line, String(decoding: body, as: UTF8.self))) }
            return (line, head)
        }
    }

    @Test("Over HTTP/1.1, also on a reused connection", arguments: cases)
    func http1(_ test: Case) async throws {
        let arrivals = Arrivals()
        let peer = try ScriptedPeer { connection, _ in
            while try arrivals.read(from: connection) != nil { connection.answer("") }
        }
        try await withMeasuredPool { client in
            for _ in 1...2 {
                let response = try await client.fetch(.to(peer.authority, method: test.method), body: test.body.body)
                #expect(response.status == 200)
            }
            let line = "\(test.method) / HTTP/1.1"
            #expect(arrivals.all.map(\.line) == [line, line])
            #expect(arrivals.all.map(\.body) == [test.body.content, test.body.content])
            let opened = try client.onlyOrigin.connectionsOpened
            #expect(opened == 1)
        }
    }

    /// 307 keeps method and body (RFC 9110, 15.4.8).
    @Test("Through a redirect", arguments: cases.filter(\.body.isReplayable))
    func redirected(_ test: Case) async throws {
        let arrivals = Arrivals()
        let peer = try ScriptedPeer { connection, _ in
            while let (line, _) = try arrivals.read(from: connection) {
                if line.contains(" /new ") {
                    connection.answer("")
                } else {
                    connection.write("HTTP/1.1 307 Moved\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n")
                }
            }
        }
        var options = RequestOptions()
        options.redirects = .follow(limit: 1)
        try await withMeasuredPool { client in
            let request = HTTPRequest.to(peer.authority, "/old", method: test.method)
            let response = try await client.fetch(request, body: test.body.body, options: options)
            #expect(response.status == 200)
            #expect(arrivals.all.map(\.line) == ["\(test.method) /old HTTP/1.1", "\(test.method) /new HTTP/1.1"])
            #expect(arrivals.all.map(\.body) == [test.body.content, test.body.content])
        }
    }

    @Test(
        "Sent again after a reused connection had died",
        arguments: cases.filter { ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"].contains($0.method.rawValue) }
            .filter(\.body.isReplayable)
    )
    func retried(_ test: Case) async throws {
        let arrivals = Arrivals()
        let peer = try ScriptedPeer { connection, number in
            _ = try arrivals.read(from: connection)
            connection.answer("")
            // The first connection takes a second request and dies of it.
            while try arrivals.read(from: connection) != nil {
                if number == 0 { return } else { connection.answer("") }
            }
        }
        try await withMeasuredPool { client in
            for _ in 1...2 {
                let request = HTTPRequest.to(peer.authority, method: test.method)
                let response = try await client.fetch(request, body: test.body.body)
                #expect(response.status == 200)
            }
            let line = "\(test.method) / HTTP/1.1"
            #expect(arrivals.all.map(\.line) == [line, line, line])
            #expect(arrivals.all.allSatisfy { $0.body == test.body.content })
            let retries = try client.onlyOrigin.staleRetries
            #expect(retries == 1)
        }
    }

    @Test("Over HTTP/2")
    func http2() async throws {
        let certificates = try await TestCertificates()
        let nginx = try await Nginx.start(
            locations: "location /m { return 200 '$request_method'; }",
            tls: Nginx.TLS(certificate: try await certificates.signed(), http2Streams: 32)
        )
        try await withMeasuredPool {
            $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
            $0.transport.http2 = .negotiated
        } _: { client in
            // nginx refuses TRACE with 405, and a method in lower case with 400; its log has what arrived.
            for (number, test) in Self.cases.enumerated() {
                let path = "/m\(number)"
                let request = HTTPRequest.to(nginx.tlsAuthority, path, method: test.method, scheme: "https")
                _ = try await client.fetch(request, body: test.body.body)
            }
            try await eventually("nginx has logged all") { try nginx.served().count >= Self.cases.count }
            let served = try nginx.served()
            for (number, test) in Self.cases.enumerated() where test.method.rawValue != "get" {
                let arrived = served.first { $0.path == "/m\(number)" }
                #expect(arrived?.method == test.method.rawValue, "\(test)")
                #expect(arrived?.version == "HTTP/2.0", "\(test)")
            }
        }
    }
}
