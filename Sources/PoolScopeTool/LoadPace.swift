import ServiceLifecycle
import Synchronization

/// When the load's requests are due, and when there are no more. All workers take their turns from one pace.
final class LoadPace: Sendable {
    private let began = ContinuousClock.now
    private let rate: Double?
    private let duration: Duration?
    private let turns = Atomic<UInt64>(0)

    /// Begins now.
    ///
    /// - Parameters:
    ///   - rate: requests a second; `nil`: each is due as soon as a worker is free.
    ///   - duration: how long; `nil`: until the service shuts down.
    init(rate: Double?, duration: Duration?) {
        self.rate = rate
        self.duration = duration
    }

    /// Time since the beginning.
    var elapsed: Duration { began.duration(to: .now) }

    /// Waits until no further request is due: the duration is over, or the service shuts down.
    func end() async {
        guard let duration else {
            try? await gracefulShutdown()
            return
        }
        try? await cancelWhenGracefulShutdown {
            try await Task.sleep(until: self.began + duration, clock: .continuous)
        }
    }

    /// Waits until the next request is due.
    ///
    /// With a rate the due moments do not depend on how quickly answers come. A worker that comes late gets a moment
    /// in the past, so that a latency that is counted from it has the lateness in it.
    ///
    /// - Returns: the request's number and due moment; `nil` when the load is over.
    func next() async -> (number: UInt64, due: ContinuousClock.Instant)? {
        guard !Task.isCancelled, !Task.isShuttingDownGracefully else { return nil }
        let number = turns.add(1, ordering: .relaxed).oldValue
        let now = ContinuousClock.now
        let due = rate.map { began + .seconds(Double(number) / $0) } ?? now
        if let duration, max(due, now) >= began + duration { return nil }
        guard due > now else { return (number, due) }
        do {
            try await cancelWhenGracefulShutdown { try await Task.sleep(until: due, clock: .continuous) }
            return (number, due)
        } catch {
            return nil
        }
    }
}
