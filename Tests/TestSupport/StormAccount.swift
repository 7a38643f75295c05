import Synchronization

/// What a storm of requests itself knows: how many were begun, and how they ended.
package final class StormAccount: Sendable {
    private struct State {
        var started = 0
        var finished = 0
        var wrongAnswers = 0
        var outcomes: [String: Int] = [:]
        var isOver = false
    }
    private let state = Mutex(State())

    package init() {}

    package var started: Int { state.withLock { $0.started } }
    package var finished: Int { state.withLock { $0.finished } }
    package var cancelled: Int { count(of: "cancelled") }
    package var wrongAnswers: Int { state.withLock { $0.wrongAnswers } }
    package var isOver: Bool { state.withLock { $0.isOver } }
    package var summary: String {
        state.withLock { state in
            let outcomes = state.outcomes.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            return "\(state.started) requests: " + outcomes.joined(separator: ", ")
        }
    }

    /// How many requests ended like this.
    package func count(of outcome: String) -> Int { state.withLock { $0.outcomes[outcome] ?? 0 } }

    package func begin() { state.withLock { $0.started += 1 } }
    package func end() { state.withLock { $0.isOver = true } }

    package func finish(_ outcome: String, isWrong: Bool) {
        state.withLock { state in
            state.finished += 1
            state.outcomes[outcome, default: 0] += 1
            if isWrong { state.wrongAnswers += 1 }
        }
    }
}
