package import HTTPPool
package import HTTPTypes
import Synchronization

/// A pool without connections: the test makes its turns and its pending submissions, contradictions included. It responds
/// to every request with status 204.
package final class FakePool: PooledHTTPClient, ObservablePool {
    private struct State {
        var configuration: PoolConfiguration
        var observer: (any PoolObserver)?
        var pending: [PendingSubmission] = []
        var onPending: (@Sendable () -> Void)?
        var readings = 0
        var sites: [CallSite] = []
        var reconfigurations: [PoolConfiguration] = []
        var policies: [ShutdownPolicy] = []
    }

    package let backend: PoolBackend
    package let facts: PoolFacts
    package let activity = ThreadActivity.asleep
    private let refusesObserver: Bool
    private let state: Mutex<State>

    package init(
        configuration: PoolConfiguration = PoolConfiguration(),
        backend: PoolBackend = PoolBackend(library: "libcurl/7.88.1", tls: "OpenSSL/3.0.17"),
        facts: PoolFacts = .all,
        refusesObserver: Bool = false
    ) {
        self.backend = backend
        self.facts = facts
        self.refusesObserver = refusesObserver
        state = Mutex(State(configuration: configuration))
    }

    // MARK: - What was done with it

    /// How often it was read, for a scrape or a page.
    package var readings: Int { state.withLock { $0.readings } }
    /// The call sites of the requests that were executed.
    package var sites: [CallSite] { state.withLock { $0.sites } }
    /// What it was reconfigured to, one after the other.
    package var reconfigurations: [PoolConfiguration] { state.withLock { $0.reconfigurations } }
    /// How it was shut down.
    package var policies: [ShutdownPolicy] { state.withLock { $0.policies } }

    // MARK: - What the test makes it do

    /// Passes a turn to the observer.
    package func report(_ turn: PoolTurn) { state.withLock { $0.observer }?.poolDidTurn(turn) }

    /// As if a request had been submitted that no turn has taken yet.
    package func submit(_ submission: PendingSubmission) { state.withLock { $0.pending.append(submission) } }

    /// Takes pending submissions, as a driver does before its turn ends.
    package func take(through number: UInt64) { state.withLock { $0.pending.removeAll { $0.number <= number } } }

    /// Does something each time before the pending submissions are read.
    package func whenPendingIsRead(_ action: (@Sendable () -> Void)?) { state.withLock { $0.onPending = action } }

    // MARK: - The pool

    package var configuration: PoolConfiguration { state.withLock { $0.configuration } }

    package func attach(_ observer: any PoolObserver) throws {
        try state.withLock { state in
            guard !refusesObserver, state.observer == nil else {
                throw PoolError(.observerRefused, "there is one", phase: .submit)
            }
            state.observer = observer
        }
    }

    package func pendingSubmissions() -> [PendingSubmission] {
        state.withLock { state in
            state.readings += 1
            return state.onPending
        }?()
        return state.withLock { $0.pending }
    }

    package func execute(
        _: HTTPRequest,
        body _: HTTPRequestBody,
        options: RequestOptions
    ) async throws -> PooledResponse {
        state.withLock { $0.sites.append(options.site) }
        return PooledResponse(head: HTTPResponse(status: .noContent), body: HTTPResponseBody(bytes: []))
    }

    /// As a real pool does: refused where it is wrong, else reported with the turn from which on it is in force.
    package func reconfigure(_ configuration: PoolConfiguration) async throws {
        try configuration.validate()
        try state.withLock { state in
            guard configuration.transport == state.configuration.transport else {
                throw PoolError(.invalidRequest, "the transport is settled when the pool is made", phase: .submit)
            }
            state.configuration = configuration
            state.reconfigurations.append(configuration)
        }
        var turn = PoolTurn(now: MonotonicTime(nanoseconds: 0))
        turn.configuration = configuration
        report(turn)
    }

    package func shutdown(_ policy: ShutdownPolicy) async { state.withLock { $0.policies.append(policy) } }
}
