import Foundation
import Synchronization
import TestSupport
import Testing

@testable import PoolEndpoint

@Suite("The endpoint, asked by curl")
struct MetricsEndpointTests {
    @Test("answers /metrics as Prometheus text, and says so exactly")
    func metrics() async throws {
        let answer = try await withEndpoint { try await curl("-i", "http://\($0)/metrics") }
        let (head, body) = try split(answer.output)
        #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(head.contains("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"))
        #expect(head.contains("\r\nCache-Control: no-store\r\n"))
        #expect(head.contains("\r\nContent-Length: \(body.utf8.count)\r\n"))
        #expect(body.contains("\nhttp_client_pools "))
    }

    @Test("answers / for people and /-/healthy for machines")
    func otherPaths() async throws {
        try await withEndpoint { address in
            let page = try await curl("http://\(address)/")
            #expect(page.output.hasPrefix("IDLE: no pool is measured in this process\n"))
            #expect(try await curl("http://\(address)/-/healthy").output == "ok\n")
        }
    }

    @Test("answers HEAD with the length that GET has, and no body", arguments: ["/metrics", "/", "/-/healthy"])
    func head(path: String) async throws {
        try await withEndpoint { address in
            // Read from the socket itself, since curl would not show a body that should not be there.
            let head = try await onThread {
                let connection = try RawConnection(port: address.port)
                try connection.send("HEAD \(path) HTTP/1.0\r\n\r\n")
                return try connection.readToEnd()
            }
            #expect(head.hasPrefix("HTTP/1.0 200 OK\r\n"))
            #expect(head.hasSuffix("\r\n\r\n"))
            let type = try await curl("-o", "/dev/null", "-w", "%{content_type}", "http://\(address)\(path)").output
            #expect(head.contains("\r\nContent-Type: \(type)\r\n"))
            // The counts of a process change from scrape to scrape, so only a fixed text has a fixed length.
            let length = try #require(head.firstMatch(of: /\r\nContent-Length: (\d+)\r\n/)?.1)
            #expect(Int(length) ?? 0 > 0)
            if path == "/-/healthy" { #expect(length == "3") }
            // And curl is content with it.
            #expect(try await curl("--head", "http://\(address)\(path)").status == 0)
        }
    }

    @Test(
        "refuses every other method and says which there are",
        arguments: ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]
    )
    func otherMethods(method: String) async throws {
        try await withEndpoint { address in
            let answer = try await curl("-i", "-X", method, "--data", "secret=1", "http://\(address)/metrics")
            let (head, body) = try split(answer.output)
            #expect(head.hasPrefix("HTTP/1.1 405 Method Not Allowed\r\n"))
            #expect(head.contains("\r\nAllow: GET, HEAD\r\n"))
            #expect(!body.contains("secret"))
        }
    }

    @Test("answers another path with 404 and the paths that there are, without repeating what was asked")
    func otherPath() async throws {
        let answer = try await withEndpoint { try await curl("-i", "http://\($0)/admin?token=hunter2") }
        #expect(answer.output.hasPrefix("HTTP/1.1 404 Not Found\r\n"))
        for path in ["/metrics", "/-/healthy"] { #expect(answer.output.contains(path)) }
        #expect(!answer.output.contains("hunter2") && !answer.output.contains("admin"))
    }

    @Test("passes over the query")
    func query() async throws {
        let answer = try await withEndpoint { try await curl("http://\($0)/-/healthy?token=hunter2#x") }
        #expect(answer.output == "ok\n")
    }

    @Test("keeps the connection for the next request")
    func keepAlive() async throws {
        try await withEndpoint { address in
            let url = "http://\(address)/-/healthy"
            let count = "%{num_connects}"
            let answer = try await curl("-w", count, url, "-w", count, "--next", "-sS", "-w", count, url)
            #expect(answer.output == "ok\n1ok\n0")
        }
    }

    @Test("responds to a request with a body from its head, and closes the connection")
    func body() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try Data(count: 20 << 20).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let answer = try await withEndpoint { address in
            let url = "http://\(address)/-/healthy"
            return try await curl("-X", "GET", "-T", file.path, url, "--next", "-sS", "-w", "%{num_connects}", url)
        }
        #expect(answer.output == "ok\nok\n1")
    }

    @Test("serves a client that asks for an upgrade or knows HTTP/2, and goes on on the same connection")
    func upgrade() async throws {
        try await withEndpoint { address in
            let url = "http://\(address)/-/healthy"
            let answer = try await curl("--http2", "-w", "%{num_connects}", url, "-w", "%{num_connects}", url)
            #expect(answer.output == "ok\n1ok\n0")
        }
    }

    @Test("answers while every Swift concurrency thread is blocked")
    func everyThreadBlocked() async throws {
        try await withEndpoint { address in
            let threads = ProcessInfo.processInfo.activeProcessorCount
            let tasks = 4 * threads
            let jam = Jam()
            // The group's child tasks cannot all start: there are fewer threads. Those that do hold them until the end.
            try await withThrowingTaskGroup(of: Void.self) { group in
                async let verdict = onThread {
                    defer { for _ in 0..<tasks { jam.gate.signal() } }
                    try waitOnThread("every thread is blocked", within: .seconds(10)) {
                        jam.blocked.load(ordering: .relaxed) >= threads
                    }
                    Task { jam.canarySang.store(true, ordering: .relaxed) }
                    let answers = try ["/metrics", "/", "/-/healthy"].map { path in
                        let url = "http://\(address)\(path)"
                        let arguments = ["-q", "-sS", "--noproxy", "*", "--max-time", "5", "-i", url]
                        return try Program("curl", arguments).waitForEnd()
                    }
                    return (answers: answers, wasAThreadFree: jam.canarySang.load(ordering: .relaxed))
                }
                for _ in 0..<tasks {
                    group.addTask { jam.blockThisThread() }
                }
                let (answers, wasAThreadFree) = try await verdict
                try await group.waitForAll()
                #expect(answers.allSatisfy { $0.output.hasPrefix("HTTP/1.1 200 OK\r\n") }, "\(answers)")
                #expect(!wasAThreadFree, "so nothing was shown")
            }
        }
    }

    /// Head and body of what `curl -i` printed.
    private func split(_ text: String) throws -> (head: String, body: String) {
        let end = try #require(text.range(of: "\r\n\r\n"))
        return (text[..<end.lowerBound] + "\r\n", String(text[end.upperBound...]))
    }
}

/// Tasks that do what no decent program does: they hold their threads.
private final class Jam: Sendable {
    let gate = DispatchSemaphore(value: 0)
    let blocked = Atomic<Int>(0)
    /// Set by a task that could only run if a thread were free.
    let canarySang = Atomic<Bool>(false)

    func blockThisThread() {
        blocked.add(1, ordering: .relaxed)
        gate.wait()
    }
}
