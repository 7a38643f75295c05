import Foundation
import HTTPPool
import NIOCore
import PoolMetrics
import Synchronization
import TestSupport
import Testing

@testable import PoolEndpoint

@Suite("The endpoint, asked by peers that are no good")
struct HostilePeerTests {
    /// Sends a text as it is, and reads until the endpoint closes.
    private func exchange(_ text: String) async throws -> String {
        try await withEndpoint { address in
            try await onThread {
                let connection = try RawConnection(port: address.port)
                try connection.send(text)
                return try connection.readToEnd()
            }
        }
    }

    @Test(
        "what is no request gets 400 and the end of the connection",
        arguments: [
            "hello\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "get / http/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nA B: c\r\n\r\n", "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
            "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}",
        ]
    )
    func malformed(text: String) async throws {
        let answer = try await exchange(text)
        #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        #expect(answer.contains("\r\nConnection: close\r\n"))
    }

    @Test("what is refused gets its status, one line that says why, and the date")
    func refused() async throws {
        for (text, status) in [
            ("GET /" + String(repeating: "a", count: 9 << 10), "414 URI Too Long"),
            ("GET / HTTP/1.1\r\nX: " + String(repeating: "a", count: 32 << 10), "431 Request Header Fields Too Large"),
            ("GET / HTTP/1.1\r\n" + String(repeating: "X: a\r\n", count: 5000), "431 Request Header Fields Too Large"),
            ("GET / HTTP/3.0\r\n\r\n", "505 HTTP Version Not Supported"),
            ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "501 Not Implemented"),
            ("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", "421 Misdirected Request"),
        ] {
            let answer = try await exchange(text)
            #expect(answer.hasPrefix("HTTP/1.1 \(status)\r\n"), "\(answer)")
            #expect(answer.contains("\r\nDate: ") && answer.contains("\r\nContent-Type: text/plain"), "\(answer)")
            #expect(answer.split(separator: "\r\n\r\n").last?.split(separator: "\n").count == 1, "\(answer)")
        }
    }

    @Test("pipelined requests are answered in their order, and the broken one last")
    func pipelined() async throws {
        let requests = ["/-/healthy", "/nothing", "/-/healthy"].map { "GET \($0) HTTP/1.1\r\nHost: localhost\r\n\r\n" }
        let answer = try await exchange(requests.joined() + "nonsense\r\n\r\n")
        let statuses = answer.matches(of: /HTTP\/1\.1 (\d+)/).map { String($0.1) }
        #expect(statuses == ["200", "404", "200", "400"])
    }

    @Test("ten thousand pipelined requests get ten thousand answers")
    func longPipeline() async throws {
        let count = 10_000
        let answers = try await withEndpoint { address in
            try await onThread {
                let connection = try RawConnection(port: address.port)
                // The answers must be taken while requests are sent, or both sides wait with full buffers.
                let sender = Thread {
                    try? connection.send(
                        String(repeating: "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n", count: count)
                    )
                    connection.finishSending()
                }
                sender.start()
                return try connection.readToEnd()
            }
        }
        #expect(answers.matches(of: /HTTP\/1\.1 200 OK/).count == count)
    }

    @Test("a peer that half-closes after its request still gets the answer, though no buffer can hold it")
    func halfClose() async throws {
        try await withLargeRegistry { registry, _ in
            let answer = try await withEndpoint(registry: registry) { address in
                try await onThread {
                    let connection = try RawConnection(port: address.port)
                    try connection.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    connection.finishSending()
                    // The first bytes come when the endpoint has written what the socket takes, and no more.
                    return try connection.read() + connection.readToEnd()
                }
            }
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            let length = try #require(answer.firstMatch(of: /\r\nContent-Length: (\d+)\r\n/)?.1)
            let head = try #require(answer.range(of: "\r\n\r\n"))
            #expect(answer[head.upperBound...].utf8.count == Int(length))
        }
    }

    @Test("HTTP/1.0 without keep-alive gets its answer and the end of the connection")
    func oldClient() async throws {
        let answer = try await exchange("GET /-/healthy HTTP/1.0\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.0 200 OK\r\n"))
        #expect(answer.hasSuffix("\r\n\r\nok\n"))
    }

    @Test(
        "a connection that brings no whole request for a while is closed, even if it trickles",
        arguments: ["", "GET / HTTP/1.1\r\n", "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n"]
    )
    func idle(text: String) async throws {
        let allowance = Allowance(request: .milliseconds(200), idle: .milliseconds(200))
        try await withEndpoint(allowance: allowance) { address in
            let answer = try await onThread {
                let connection = try RawConnection(port: address.port)
                try connection.send(text)
                let trickle = Thread {
                    // Ends with an error once the endpoint has closed.
                    while text.hasSuffix("1.1\r\n"), (try? connection.send("A: b\r\n")) != nil { usleep(50_000) }
                }
                trickle.start()
                // It throws if the end does not come within ten seconds.
                return try connection.readToEnd()
            }
            // Nor is it the limit of the header fields that ends the trickle.
            #expect(answer.hasPrefix(text.isEmpty ? "" : text.hasSuffix("1.1\r\n") ? "HTTP/1.1 408" : "HTTP/1.1 200"))
        }
    }

    @Test("a peer that asks and asks and never reads does not make the endpoint hold its answers")
    func neverReads() async throws {
        try await withLargeRegistry { registry, pool in
            let answers = try await withEndpoint(registry: registry) { address in
                try await onThread {
                    let greedy = try RawConnection(port: address.port)
                    try greedy.send(String(repeating: "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", count: 40))
                    try waitOnThread("the first answer is begun", within: .seconds(10)) { pool.readings > 0 }
                    // Each polite request gives the event loop another turn for the greedy ones.
                    for _ in 0..<60 {
                        let polite = try RawConnection(port: address.port)
                        try polite.send("GET /-/healthy HTTP/1.0\r\n\r\n")
                        _ = try polite.read { $0.hasSuffix("ok\n") }
                    }
                    defer { greedy.finishSending() }
                    return pool.readings
                }
            }
            #expect(answers <= 2, "one in the sockets' buffers, and one that waits")
        }
    }

    /// Pools enough for an answer of more than six megabytes, the most that two sockets of loopback hold by default.
    private func withLargeRegistry(_ body: (PoolRegistry, FakePool) async throws -> Void) async throws {
        let registry = PoolRegistry()
        let pools = (0..<16).map { _ in FakePool() }
        let clients = try pools.enumerated().map { number, pool in
            let client = try InstrumentedClient(pool, name: "pool \(number)", registry: registry)
            var turn = PoolTurn(now: MonotonicTime(nanoseconds: 0))
            turn.newOrigins = (0..<64).map { index in
                let host = String(repeating: "long.", count: 30) + "\(index)"
                return PoolTurn.NewOrigin(OriginID(index: Int32(index)), Origin(scheme: "https", host: host, port: 443))
            }
            pool.report(turn)
            return client
        }
        try await body(registry, pools[0])
        withExtendedLifetime(clients) {}
    }
}
