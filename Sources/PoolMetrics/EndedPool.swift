import HTTPPool

/// A pool that has ended, or is about to: what remains of it are its numbers.
///
/// The pool itself is not retained, since a client may end with its last reference. Its meter is, and gets the last turns.
struct EndedPool: Sendable {
    let name: String
    let ended: MonotonicTime
    private let meter: PoolMeter
    private let remains: Remains

    init(_ pool: MeasuredPool, at now: MonotonicTime) {
        name = pool.name
        ended = now
        meter = pool.meter
        remains = Remains(backend: pool.pool.backend, facts: pool.pool.facts, configuration: pool.pool.configuration)
    }

    func report() -> PoolReport {
        let details = meter.details(remains, oldest: 0)
        let reading = PoolReading(name: name, pool: remains, details.snapshot, hasEnded: true)
        return PoolReport(reading, details.trends, [])
    }

    func reading() -> PoolReading { PoolReading(name: name, pool: remains, meter.read(remains), hasEnded: true) }

    /// Stands for the pool where a reading asks it.
    private struct Remains: ObservablePool {
        let backend: PoolBackend
        let facts: PoolFacts
        let configuration: PoolConfiguration

        var activity: ThreadActivity { facts.contains(.activity) ? .asleep : .unknown }

        func attach(_ observer: any PoolObserver) throws {}
        func pendingSubmissions() -> [PendingSubmission] { [] }
        func shutdown(_ policy: ShutdownPolicy) async {}
    }
}
