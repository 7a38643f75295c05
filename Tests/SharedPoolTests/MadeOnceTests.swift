import Synchronization
import TestSupport
import Testing

@testable import SharedPool

@Suite("A value that is made once")
struct MadeOnceTests {
    private final class Made: Sendable {}

    /// Calls `body` on so many threads, at once as far as the machine allows.
    private func onThreads<Value: Sendable>(
        _ count: Int,
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> [Value] {
        try await withThrowingTaskGroup(of: Value.self) { group in
            for _ in 0..<count { group.addTask { try await onThread(body) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    @Test("is made by the first of hundreds who come while it is being made")
    func race() async throws {
        let once = MadeOnce<Made>()
        let arrived = Atomic<Int>(0)
        let made = Atomic<Int>(0)
        let values = try await onThreads(300) {
            arrived.add(1, ordering: .sequentiallyConsistent)
            return try once.get {
                made.add(1, ordering: .sequentiallyConsistent)
                // Nobody is early: the making goes on until everyone is on the way to it.
                try waitOnThread("all threads have come") { arrived.load(ordering: .sequentiallyConsistent) == 300 }
                return Made()
            }
        }
        #expect(made.load(ordering: .sequentiallyConsistent) == 1)
        #expect(Set(values.map(ObjectIdentifier.init)).count == 1)
        #expect(values.count == 300)
    }

    @Test("is tried again after an error, and the error is told to whoever tried")
    func errorThenRetry() throws {
        let once = MadeOnce<Int>()
        for attempt in 1...3 {
            let error = try #require(throws: TestFailure.self) { try once.get { throw TestFailure("try \(attempt)") } }
            #expect("\(error)".contains("try \(attempt)"))
        }
        #expect(try once.get { 7 } == 7)
        #expect(try once.get { throw TestFailure("made already") } == 7)
    }

    @Test("is made once by the others when the first ones fail")
    func errorsInARace() async throws {
        let once = MadeOnce<Made>()
        let attempts = Atomic<Int>(0)
        let values = try await onThreads(200) {
            try? once.get {
                let attempt = attempts.add(1, ordering: .sequentiallyConsistent).newValue
                if attempt <= 10 { throw TestFailure("one of ten") }
                return Made()
            }
        }
        #expect(attempts.load(ordering: .sequentiallyConsistent) == 11)
        #expect(values.count { $0 == nil } == 10)
        #expect(Set(values.compactMap { $0.map(ObjectIdentifier.init) }).count == 1)
    }
}
