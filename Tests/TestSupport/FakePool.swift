package import HTTPPool
package import HTTPTypes
package import Synchronization

/// A pool that sends nothing: the test tells its turns.
package final class FakePool: PooledHTTPClient, ObservablePool {
    private struct State {
        var configuration: PoolConfiguration
        var observer: (any PoolObserver)?
        var pending: [PendingSubmission] = []
        var reconfigurations: [PoolConfiguration] = []
    }

    package let backend: PoolBackend
    package let activity = ThreadActivity.asleep
    /// How often it was read, for a scrape or a page.
    package let readings = Atomic<Int>(0)
    private let state: Mutex<State>

    package init(configuration: PoolConfiguration = PoolConfiguration(), caution: String? = nil) {
        backend = PoolBackend(library: "libcurl/7.88.1", tls: "OpenSSL/3.0.17", caution: caution)
        state = Mutex(State(configuration: configuration))
    }

    package var configuration: PoolConfiguration { state.withLock { $0.configuration } }

    /// What it was reconfigured to, one after the other.
    package var reconfigurations: [PoolConfiguration] { state.withLock { $0.reconfigurations } }

    package func attach(_ observer: any PoolObserver) throws { state.withLock { $0.observer = observer } }

    package func pendingSubmissions() -> [PendingSubmission] {
        readings.add(1, ordering: .relaxed)
        return state.withLock { $0.pending }
    }

    /// As if a request had been submitted that no turn has taken yet.
    package func submit(_ submission: PendingSubmission) { state.withLock { $0.pending.append(submission) } }

    package func tell(_ turn: PoolTurn) { state.withLock { $0.observer }?.poolDidTurn(turn) }

    package func execute(
        _ request: HTTPRequest,
        body: HTTPRequestBody,
        options: RequestOptions
    ) async throws -> PooledResponse {
        throw TestFailure("the fake pool sends nothing")
    }

    /// As a real pool does: refused where it is wrong, else told with the turn from which on it is in force.
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
        tell(turn)
    }

    package func shutdown(_ policy: ShutdownPolicy) async {}
}
