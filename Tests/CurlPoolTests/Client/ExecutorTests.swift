import Foundation
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
            await withTaskExecutorPreference(pool.executor) {
                await withTaskGroup(of: String?.self) { group in
                    for _ in 0..<50 {
                        group.addTask {
                            for _ in 0..<20 {
                                guard let text = try? await pool.execute(get(peer)).text, text == "ok" else {
                                    return nil
                                }
                            }
                            return Self.threadName
                        }
                    }
                    for await name in group { #expect(name == "poolscope-curl") }
                }
                #expect(await code { _ = try await pool.execute(get(silent)) } == .readTimeout)
                let task = Task { try await pool.execute(get(silent)) }
                while journal.levels.requests.inFlight == 0 { await Task.yield() }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
            }
            #expect(journal.levels.requests == RequestLevels())
        }
    }

    @Test("A task goes on elsewhere when the pool has ended")
    func outlivesThePool() async throws {
        let pool = try CurlPool()
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
            try await eventually("asleep") { pool.busySince == nil }
            let go = Signal()
            let task = Task(executorPreference: pool.executor) { go.wait() }
            try await eventually("at work on one turn for a while") {
                pool.busySince.map { MonotonicClock.now() - $0 > 50_000_000 } ?? false
            }
            go.send()
            await task.value
            try await eventually("asleep again") { pool.busySince == nil }
        }
    }
}
