import Foundation
import Glibc
import HTTPPool
import HTTPTypes
import TestSupport
import Testing

@testable import CurlPool

@Suite("Tasks on the pool's own thread")
struct ExecutorTests {
    private static func peer() throws -> ScriptedPeer {
        try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil { connection.answer("ok") }
        }
    }

    /// The name of the thread that asks.
    private static var threadName: String {
        let name = try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)
        return name?.trimmingCharacters(in: .newlines) ?? ""
    }

    @Test("Requests, cancellation and timeouts work there as anywhere, on that thread")
    func works() async throws {
        let peer = try Self.peer()
        let silent = try ScriptedPeer { connection, _ in connection.waitForEnd() }
        try await withPool(.with { $0.timeouts.read = .milliseconds(200) }) { pool, journal in
            try await withTaskExecutorPreference(pool.executor) {
                try await withThrowingTaskGroup(of: String.self) { group in
                    for _ in 0..<50 {
                        group.addTask {
                            for _ in 0..<20 { try await expectAnswer("ok", to: get(peer), from: pool) }
                            return Self.threadName
                        }
                    }
                    for try await name in group { #expect(name == "poolscope-curl") }
                }
                #expect(await code { _ = try await pool.execute(get(silent)) } == .readTimeout)
                let task = Task { try await pool.execute(get(silent)) }
                try await eventually("it is in flight") { journal.levels.requests.inFlight == 1 }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
            }
            #expect(journal.levels.requests == RequestLevels())
        }
    }

    @Test("What a peer says out of turn reaches no request that follows at once", arguments: [1, 2, 12])
    func strayBytes(concurrency: Int) async throws {
        // The thread goes from an answer to the next request without a wait, so it must ask the connection by itself. Of
        // a body whose length it knows libcurl reads no byte too many: what comes with its end stays in the socket.
        let begun = Counter()
        let known = Counter()
        let peer = try ScriptedPeer { connection, _ in
            guard try connection.readRequest() != nil else { return }
            begun.add(1)
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
            while known.value < begun.value { sched_yield() }
            connection.write("goodHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
            connection.waitForEnd()
        }
        try await withPool { pool, journal in
            await withTaskExecutorPreference(pool.executor) {
                await withTaskGroup(of: Set<String>.self) { group in
                    for _ in 0..<concurrency {
                        group.addTask {
                            var texts: Set<String> = []
                            for _ in 0..<20 {
                                let response = try? await pool.execute(get(peer))
                                known.add(1)
                                texts.insert((try? await response?.text) ?? "failed")
                            }
                            return texts
                        }
                    }
                    for await texts in group { #expect(texts == ["good"]) }
                }
            }
            try await eventually("all are closed") { journal.levels.connections == ConnectionLevels() }
            #expect(journal.opened == 20 * concurrency)
        }
    }

    @Test("A task goes on elsewhere when the pool has ended")
    func outlivesThePool() async throws {
        let pool = try CurlClient()
        let executor = pool.executor
        let task = Task(executorPreference: executor) {
            await pool.shutdown(.immediate)
            await Task.yield()
            return "done"
        }
        #expect(await task.value == "done")
        let later = Task(executorPreference: executor) { "later" }
        #expect(await later.value == "later")
    }

    @Test("A task that holds the thread up shows as a stall")
    func stall() async throws {
        try await withPool { pool, _ in
            try await eventually("asleep") { pool.activity == .asleep }
            let go = Gate()
            let task = Task(executorPreference: pool.executor) { try go.wait() }
            try await eventually("at work on one turn for a while") {
                guard case .working(let since) = pool.activity else { return false }
                return MonotonicTime.now() - since > 50_000_000
            }
            go.open()
            try await task.value
            try await eventually("asleep again") { pool.activity == .asleep }
        }
    }
}
