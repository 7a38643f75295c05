import Foundation
import HTTPPool
import NIOCore
import PoolMetrics
import TestSupport
import Testing

@testable import PoolEndpoint

/// What was tried on the endpoint, and what normal scrapes have to see of it: nothing.
@Suite("The endpoint under attack", .serialized)
struct AttackTests {
    private static let metrics = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
    private static let healthy = "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n"

    /// Has an endpoint scraped while `attack` is done to it. Afterwards as many descriptors are open as before.
    private func withAttack(
        allowance: Allowance = Allowance(),
        log: LogLines = LogLines(),
        _ attack: @escaping @Sendable (Int, @Sendable () -> Bool) throws -> Void,
        after: (EndpointAddress) async throws -> Void = { _ in }
    ) async throws {
        try await withEndpoint(allowance: allowance, log: log) { address in
            _ = try await curl("http://\(address)/metrics")
            // Dispatch opens a timer with the first sleep, and keeps it.
            try await Task.sleep(for: .milliseconds(1))
            let before = try Descriptors.count()
            try await SteadyScraper.during(port: address.port) { try attack(address.port, $0) }
            try await eventually("as many descriptors as before are open") { try Descriptors.count() <= before }
            try await after(address)
        }
    }

    @Test(
        "connections that are held do not keep others out: the one that is idle for longest gives way, and it is counted",
        arguments: ["", "GET /metrics HT", healthy]
    )
    func held(text: String) async throws {
        let log = LogLines()
        try await withAttack(log: log) { port, hasSeenEnough in
            var held: [RawConnection] = []
            for _ in 0..<300 {
                let connection = try RawConnection(port: port)
                try connection.send(text)
                if text == Self.healthy { _ = try connection.read { $0.hasSuffix("ok\n") } }
                held.append(connection)
            }
            // A byte now and then does not make a connection any younger.
            try waitOnThread("enough was scraped") {
                if text.hasPrefix("GET /metrics") { for connection in held { try? connection.send("x") } }
                return hasSeenEnough()
            }
        } after: { address in
            let refused = try await series(#"poolscope_endpoint_refused_total{reason="connections"}"#, at: address)
            #expect((refused ?? 0) >= 44, "\(String(describing: refused))")
        }
        let lines = log.descriptions.filter { $0.contains("refused") && $0.contains("connections") }
        #expect(lines.count == 1, "\(lines)")
    }

    @Test("a request has one deadline, however its bytes arrive, and so has its response")
    func deadlines() async throws {
        let allowance = Allowance(request: .milliseconds(300))
        try await withAttack(allowance: allowance) { port, hasSeenEnough in
            let slow = try RawConnection(port: port)
            try slow.send("GET / HTTP/1.1\r\n")
            // Header fields keep arriving well within the deadline, which they must not extend. Sending throws once the endpoint
            // has closed the connection.
            let trickle = Thread { while (try? slow.send("A: b\r\n")) != nil { usleep(20_000) } }
            trickle.start()
            try check(try slow.readToEnd(), begins: "HTTP/1.1 408 Request Timeout\r\n")
            try waitOnThread("enough was scraped", until: hasSeenEnough)
        } after: { address in
            let refused = try await series(#"poolscope_endpoint_refused_total{reason="deadline"}"#, at: address)
            #expect(refused == 1)
        }
    }

    @Test("responses that are not read take bounded memory of the kernel, and the connection is reset at its deadline")
    func unread() async throws {
        let allowance = Allowance(request: .seconds(1))
        try await withAttack(allowance: allowance) { port, hasSeenEnough in
            let greedy = try (0..<8).map { _ in try RawConnection(port: port) }
            for connection in greedy { try connection.send(String(repeating: Self.metrics, count: 300)) }
            try waitOnThread("they are reset") {
                greedy.allSatisfy { (try? $0.send("x")) == nil }
            }
            try waitOnThread("enough was scraped", until: hasSeenEnough)
            // What it can still read is what its own kernel has taken, and then the reset.
            for connection in greedy { try check(try connection.readToEnd().utf8.count < 8 << 20, "too much is kept") }
        } after: { address in
            let refused = try await series(#"poolscope_endpoint_refused_total{reason="deadline"}"#, at: address)
            #expect(refused == 8)
        }
    }

    @Test("clients that pipeline and read fast leave others their turns")
    func pipelining() async throws {
        try await withAttack { port, hasSeenEnough in
            let greedy = try (0..<8).map { _ in try RawConnection(port: port) }
            let readers = greedy.map { connection in
                Thread {
                    while let text = try? connection.read(), !text.isEmpty {}
                }
            }
            let writers = greedy.map { connection in
                Thread { while (try? connection.send(String(repeating: Self.metrics, count: 20))) != nil {} }
            }
            for thread in readers + writers { thread.start() }
            defer { for connection in greedy { connection.end() } }
            try waitOnThread("enough was scraped", until: hasSeenEnough)
        }
    }

    @Test("connections that come and go do not keep others out")
    func churn() async throws {
        try await withAttack { port, hasSeenEnough in
            try waitOnThread("enough was scraped") {
                for _ in 0..<2000 { _ = try RawConnection(port: port) }
                return hasSeenEnough()
            }
        }
    }

    @Test("requests whose connections are reset at once do not keep others out")
    func resets() async throws {
        try await withAttack { port, hasSeenEnough in
            try waitOnThread("enough was scraped") {
                for _ in 0..<1500 {
                    let connection = try RawConnection(port: port)
                    try connection.send(Self.metrics)
                    connection.resetOnClose()
                }
                return hasSeenEnough()
            }
        }
    }

    @Test("a crowd that asks at once for the same is served from one rendering, and others are not kept waiting")
    func crowd() async throws {
        try await withAttack { port, hasSeenEnough in
            try waitOnThread("enough was scraped") {
                let crowd = try (0..<200).map { _ in try RawConnection(port: port) }
                for connection in crowd {
                    try connection.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                }
                for connection in crowd {
                    let page = try connection.readToEnd()
                    try check(page, begins: "HTTP/1.1 200 OK\r\n")
                    try check(page.contains("\npoolscope_build_info{"), "the page is not whole")
                }
                return hasSeenEnough()
            }
        }
    }

    @Test("a body without end is not read: the response comes from the head, and the connection is closed")
    func bodies() async throws {
        try await withAttack { port, hasSeenEnough in
            for head in ["Transfer-Encoding: chunked", "Content-Length: 99999999999"] {
                let connection = try RawConnection(port: port)
                try connection.send(
                    "POST /metrics HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\(head)\r\n\r\n"
                )
                let chunks = Thread {
                    while (try? connection.send(String(repeating: "1\r\na\r\n", count: 100))) != nil {}
                }
                chunks.start()
                let answer = try connection.readToEnd()
                try check(answer, begins: "HTTP/1.1 405 Method Not Allowed\r\n")
                try check(answer.contains("\r\nConnection: close\r\n"), answer)
                // Ends only once the endpoint has closed.
                try waitOnThread("the body is refused") { chunks.isFinished }
            }
            try waitOnThread("enough was scraped", until: hasSeenEnough)
        }
    }

    @Test("after a request for an upgrade it goes on; after CONNECT it says that it closes, and does")
    func otherProtocols() async throws {
        try await withAttack { port, hasSeenEnough in
            let upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
            let java = try RawConnection(port: port)
            for _ in 0..<3 {
                try java.send("GET /-/healthy HTTP/1.1\r\n\(upgrade)Host: localhost\r\n\r\n")
                let text = try java.read { $0.hasSuffix("ok\n") }
                try check(text.contains("\r\nConnection: keep-alive\r\n"), text)
            }
            let tunnel = try RawConnection(port: port)
            try tunnel.send("CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n\(Self.healthy)")
            let answer = try tunnel.readToEnd()
            try check(answer, begins: "HTTP/1.1 405 ")
            try check(answer.contains("\r\nConnection: close\r\n"), answer)
            try check(answer.components(separatedBy: "HTTP/1.1 ").count == 2, answer)
            try waitOnThread("enough was scraped", until: hasSeenEnough)
        }
    }

    @Test("a scraper that keeps its connection finds it open after a pause")
    func kept() async throws {
        #expect(Allowance().idle >= .minutes(5))
        try await withEndpoint(allowance: Allowance(request: .milliseconds(50))) { address in
            try await onThread {
                let scraper = try RawConnection(port: address.port)
                for _ in 0..<3 {
                    try scraper.send(Self.healthy)
                    _ = try scraper.read { $0.hasSuffix("ok\n") }
                    // Longer than a request may take: between requests, that deadline does not run.
                    usleep(150_000)
                }
            }
        }
    }
}
