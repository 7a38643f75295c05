import HTTPPool
import Synchronization
import TestSupport
import Testing

@testable import CurlPool

@Suite("Requests that no turn has told of")
struct PendingTests {
    /// Knows up to which number submissions were told of, under a lock of its own, as a meter does.
    private final class Told: PoolObserver, Sendable {
        private let through = Mutex<UInt64>(0)

        func poolDidTurn(_ turn: borrowing PoolTurn) {
            let new = turn.takenThrough
            through.withLock { $0 = max($0, new) }
        }

        /// The first number of those that wait to be told and is not among them; `nil` where none is missing.
        func missing(in pool: CurlClient) -> UInt64? {
            through.withLock { told in
                let waiting = Set(pool.pendingSubmissions().map(\.number).filter { $0 > told })
                return ((told + 1)..<(told + 1 + UInt64(waiting.count))).first { !waiting.contains($0) }
            }
        }
    }

    @Test("are all in sight, at any moment under load")
    func inSight() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil { connection.answer("ok") }
        }
        let told = Told()
        let pool = try CurlClient()
        try pool.attach(told)
        let looks = try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<40 {
                group.addTask {
                    for _ in 0..<200 { try await expectAnswer("ok", to: get(peer), from: pool) }
                }
            }
            let isOver = Mutex(false)
            async let looks = Task.detached {
                var looks = 0
                while !isOver.withLock({ $0 }) {
                    looks += 1
                    if let missing = told.missing(in: pool) {
                        Issue.record("number \(missing) is out of sight")
                        break
                    }
                }
                return looks
            }.value
            defer { isOver.withLock { $0 = true } }
            try await group.waitForAll()
            isOver.withLock { $0 = true }
            return await looks
        }
        #expect(looks > 100)
        await pool.shutdown(.immediate)
    }
}
