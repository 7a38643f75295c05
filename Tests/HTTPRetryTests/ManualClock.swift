import Synchronization

/// A clock that moves only when the test moves it.
final class ManualClock: Clock {
    struct Instant: InstantProtocol {
        var sinceStart: Duration
        func advanced(by duration: Duration) -> Instant { Instant(sinceStart: sinceStart + duration) }
        func duration(to other: Instant) -> Duration { other.sinceStart - sinceStart }
        static func < (a: Self, b: Self) -> Bool { a.sinceStart < b.sinceStart }
    }

    private struct Sleeper {
        let id: Int
        let end: Instant
        let continuation: CheckedContinuation<Void, any Error>
    }
    private struct State {
        var now = Instant(sinceStart: .zero)
        var sleepers: [Sleeper] = []
        var pauses: [Duration] = []
        var sleeps = 0
    }
    private let state = Mutex(State())
    private let jumps: Bool

    /// With `jumps` nobody sleeps: whoever wants to finds the clock at the end of the sleep.
    init(jumps: Bool = false) { self.jumps = jumps }

    var now: Instant { state.withLock { $0.now } }
    var minimumResolution: Duration { .nanoseconds(1) }
    /// How long each sleep was to be, in order.
    var pauses: [Duration] { state.withLock { $0.pauses } }
    /// How many sleep now.
    var sleeping: Int { state.withLock { $0.sleepers.count } }

    func sleep(until end: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        let id = state.withLock { state in
            state.pauses.append(state.now.duration(to: end))
            if jumps { state.now = max(state.now, end) }
            state.sleeps += 1
            return state.sleeps
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result: Result<Void, any Error>? = state.withLock { state in
                    // A cancellation that came before this found nobody to wake.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if end <= state.now { return .success(()) }
                    state.sleepers.append(Sleeper(id: id, end: end, continuation: continuation))
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            wake(where: { $0.id == id }, with: .failure(CancellationError()))
        }
    }

    /// Moves on, and wakes whose time has come.
    func advance(by duration: Duration) {
        let now = state.withLock { state in
            state.now = state.now.advanced(by: duration)
            return state.now
        }
        wake(where: { $0.end <= now }, with: .success(()))
    }

    private func wake(where isMeant: (Sleeper) -> Bool, with result: Result<Void, any Error>) {
        let woken = state.withLock { state in
            defer { state.sleepers.removeAll(where: isMeant) }
            return state.sleepers.filter(isMeant)
        }
        for sleeper in woken { sleeper.continuation.resume(with: result) }
    }
}
