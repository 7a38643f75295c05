import ServiceLifecycle
import Synchronization

/// Schedules the requests of the load, for all workers.
final class LoadPace: Sendable {
    private let began = ContinuousClock.now
    private let rate: Double?
    private let duration: Duration?
    private let turns = Atomic<UInt64>(0)

    /// Starts the schedule.
    ///
    /// - Parameters:
    ///   - rate: requests per second; `nil` schedules each request as soon as a worker is free.
    ///   - duration: the length of the load; `nil` runs until the service shuts down.
    init(rate: Double?, duration: Duration?) {
        self.rate = rate
        self.duration = duration
    }

    /// The time since the start.
    var elapsed: Duration { began.duration(to: .now) }

    /// Waits until no more requests are due: the duration is over, or the service is shutting down.
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
    /// With a rate, due times do not depend on response times. A late worker gets a due time in the past, so
    /// latencies measured from it include the delay.
    ///
    /// - Returns: the number and due time of the request; `nil` if the load is over.
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
