private import Synchronization

/// Records a pool that does not work in turns: one that runs on event loops or on many threads.
///
/// An adapter reports what happens, from any thread, and the recorder makes a turn of each report: levels and events change
/// together, so every scrape shows one instant.
///
/// ```swift
/// let recorder = PoolRecorder(backend: PoolBackend(library: "client/1.0", tls: "OpenSSL/3.0"))
/// let request = recorder.record { $0.submitted(to: origin, site: "catalog") }
/// let connection = recorder.record { $0.connectionOpening(to: origin) }
/// recorder.record {
///     $0.connectionOpened(connection)
///     $0.acquired(request, on: connection)
/// }
/// recorder.record { $0.leaseEnded(request) }
/// ```
///
/// What the client cannot tell is left out of `facts`, and the metrics that need it are absent.
public final class PoolRecorder: ObservablePool {
    /// The libraries underneath.
    public let backend: PoolBackend
    /// What the adapter reports.
    public let facts: PoolFacts
    private let state: Mutex<State>
    private let clock: @Sendable () -> MonotonicTime
    private let end: @Sendable (ShutdownPolicy) async -> Void

    private struct State {
        var ledger: PoolLedger
        var observer: (any PoolObserver)?
        var isCounted = true
    }

    /// Begins with a pool that has no connection.
    ///
    /// - Parameters:
    ///   - configuration: the limits and timeouts in force.
    ///   - backend: the client library.
    ///   - facts: what the adapter reports. Name look-ups and the activity of a thread cannot be recorded.
    ///   - clock: the time of a report.
    ///   - shutdown: shuts the client down and returns when its last connection is closed.
    public init(
        configuration: PoolConfiguration = PoolConfiguration(),
        backend: PoolBackend,
        facts: PoolFacts = [.connections, .slots, .limitWaits, .retries],
        clock: @escaping @Sendable () -> MonotonicTime = MonotonicTime.now,
        shutdown: @escaping @Sendable (ShutdownPolicy) async -> Void = { _ in }
    ) {
        self.backend = backend
        self.facts = facts.subtracting([.lookUps, .activity])
        self.clock = clock
        end = shutdown
        state = Mutex(State(ledger: PoolLedger(configuration: configuration)))
        PoolCensus.poolCreated()
    }

    deinit { if state.withLock({ $0.isCounted }) { PoolCensus.poolEnded() } }

    /// Reports what happened, all at the same instant.
    ///
    /// The reports are made under a lock that a scrape waits for: `reports` should do nothing else.
    public func record<Result>(_ reports: (inout PoolLedger) throws -> sending Result) rethrows -> sending Result {
        try state.withLock { state in
            // Under the lock, so that the moments of turns never go back.
            state.ledger.begin(at: clock())
            defer { if let turn = state.ledger.end() { state.observer?.poolDidTurn(turn) } }
            return try reports(&state.ledger)
        }
    }

    /// The limits and timeouts in force.
    public var configuration: PoolConfiguration { state.withLock { $0.ledger.configuration } }

    /// Reports that contradicted earlier ones, the latest 100 of them: faults of the adapter.
    public var violations: [PoolLedger.Violation] { state.withLock { $0.ledger.violations } }

    /// Installs the one observer.
    ///
    /// - Throws: `PoolError` with code `observerRefused` if there is one, or a request was reported before.
    public func attach(_ observer: any PoolObserver) throws {
        try state.withLock { state in
            guard state.observer == nil, !state.ledger.hasRequests else {
                throw PoolError(
                    .observerRefused,
                    "the pool has an observer already, or had a request before this one came",
                    phase: .submit
                )
            }
            state.observer = observer
        }
    }

    /// None: a report is in a turn at once.
    public func pendingSubmissions() -> [PendingSubmission] { [] }

    /// Shuts the client down. What it has not reported as ended by then is recorded as ended by the shutdown.
    public func shutdown(_ policy: ShutdownPolicy) async {
        await end(policy)
        record { $0.ended() }
        let wasCounted = state.withLock { state in
            defer { state.isCounted = false }
            return state.isCounted
        }
        if wasCounted { PoolCensus.poolEnded() }
    }
}
