private import Synchronization

/// Records a pool that does not work in turns, such as one on event loops or on many threads.
///
/// An adapter reports events from any thread, and each call to ``record(_:)`` becomes a turn: levels and events
/// change together, so every scrape is consistent.
///
/// ```swift
/// let recorder = PoolRecorder(backend: PoolBackend(library: "client/1.0", tls: "OpenSSL/3.0"))
/// let request = recorder.record { $0.submitted(to: origin, site: "catalog") }
/// let connection = recorder.record { $0.connectionOpening(to: origin) }
/// recorder.record {
///     $0.connectionOpened(connection)
///     $0.acquired(request, on: connection)
/// }
/// recorder.record { $0.requestSent(request) }
/// recorder.record { $0.responseHead(request) }
/// recorder.record { $0.leaseEnded(request, LeaseOutcome(status: 200)) }
/// ```
///
/// Measure the recorder, with an `InstrumentedClient` or a `MeasuredPool`, before the first report. Omit from `facts` what the client cannot report; the metrics that depend on it are absent.
public final class PoolRecorder: ObservablePool {
    /// The client and TLS libraries.
    public let backend: PoolBackend
    /// The facts that the adapter reports.
    public let facts: PoolFacts
    private let state: Mutex<State>
    private let membership = PoolCensus.join()
    private let clock: @Sendable () -> MonotonicTime
    private let end: @Sendable (ShutdownPolicy) async -> Void

    private struct State {
        var ledger: PoolLedger
        var observer: (any PoolObserver)?
    }

    /// Creates a recorder for a pool without connections.
    ///
    /// - Parameters:
    ///   - configuration: the limits and timeouts in force.
    ///   - backend: the client and TLS libraries.
    ///   - facts: what the adapter reports. DNS look-ups and thread activity are not supported and are left out.
    ///   - clock: the time of a report.
    ///   - shutdown: shuts the client down and returns when its last connection is closed.
    public init(
        configuration: PoolConfiguration = PoolConfiguration(),
        backend: PoolBackend,
        facts: PoolFacts = .all,
        clock: @escaping @Sendable () -> MonotonicTime = MonotonicTime.now,
        shutdown: @escaping @Sendable (ShutdownPolicy) async -> Void = { _ in }
    ) {
        self.backend = backend
        self.facts = facts.subtracting([.lookUps, .activity])
        self.clock = clock
        end = shutdown
        state = Mutex(State(ledger: PoolLedger(configuration: configuration)))
    }

    /// Records reports with one timestamp.
    ///
    /// `reports` runs under a lock that scrapes wait for, so it should do nothing else.
    public func record<Result>(_ reports: (inout PoolLedger) throws -> sending Result) rethrows -> sending Result {
        try state.withLock { state in
            // Read under the lock, so that the times of turns never go back.
            state.ledger.begin(at: clock())
            defer { if let turn = state.ledger.end() { state.observer?.poolDidTurn(turn) } }
            return try reports(&state.ledger)
        }
    }

    /// The limits and timeouts in force.
    public var configuration: PoolConfiguration { state.withLock { $0.ledger.configuration } }

    /// The first 100 reports that contradicted earlier ones: bugs of the adapter.
    public var violations: [PoolLedger.Violation] { state.withLock { $0.ledger.violations } }

    /// Installs the only observer.
    ///
    /// - Throws: `PoolError` with code `observerRefused` if there is one already, or if a request or a connection was
    ///   recorded before, which the observer would never know of.
    public func attach(_ observer: any PoolObserver) throws {
        try state.withLock { state in
            guard state.observer == nil else {
                throw PoolError(.observerRefused, "the recorder already has an observer", phase: .submit)
            }
            guard !state.ledger.hasReports else {
                throw PoolError(
                    .observerRefused,
                    "a request or a connection was recorded before the recorder was measured",
                    phase: .submit
                )
            }
            state.observer = observer
        }
    }

    /// What a request that holds a connection is doing.
    public func state(of request: RequestKey, since: MonotonicTime) -> LeaseState? {
        facts.contains(.leaseStates) ? state.withLock { $0.ledger.lease(of: request.number) } : nil
    }

    /// Always empty: every report is part of a turn at once.
    public func pendingSubmissions() -> [PendingSubmission] { [] }

    /// Shuts the client down. Requests and connections not reported as ended by then are recorded as ended by the
    /// shutdown.
    public func shutdown(_ policy: ShutdownPolicy) async {
        await end(policy)
        record { $0.ended() }
        membership.end()
    }
}
