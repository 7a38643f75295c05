import HTTPPool
import HTTPTypes
import PoolMetrics
import Synchronization

/// A pool without connections, whose turns and submissions the test makes by hand.
final class FakeClient: PooledHTTPClient, ObservablePool {
    private struct State {
        var observer: (any PoolObserver)?
        var pending: [PendingSubmission] = []
        var sites: [CallSite] = []
        var policies: [ShutdownPolicy] = []
        var onPending: (@Sendable () -> Void)?
    }

    let configuration: PoolConfiguration
    let facts: PoolFacts
    let activity = ThreadActivity.asleep
    let backend: PoolBackend
    private let refusesObserver: Bool
    private let state = Mutex(State())

    init(
        configuration: PoolConfiguration = PoolConfiguration(),
        backend: PoolBackend = PoolBackend(library: "libcurl/7.88.1", tls: "OpenSSL/3.0.17"),
        facts: PoolFacts = .all,
        refusesObserver: Bool = false
    ) {
        self.facts = facts
        self.configuration = configuration
        self.backend = backend
        self.refusesObserver = refusesObserver
    }

    /// The call sites of the requests that were executed.
    var sites: [CallSite] { state.withLock { $0.sites } }
    /// How it was shut down.
    var policies: [ShutdownPolicy] { state.withLock { $0.policies } }

    func execute(_: HTTPRequest, body _: HTTPRequestBody, options: RequestOptions) async throws -> PooledResponse {
        state.withLock { $0.sites.append(options.site) }
        return PooledResponse(head: HTTPResponse(status: .noContent), body: HTTPResponseBody(bytes: []))
    }

    func attach(_ observer: any PoolObserver) throws {
        try state.withLock { state in
            guard !refusesObserver, state.observer == nil else {
                throw PoolError(.observerRefused, "there is one", phase: .submit)
            }
            state.observer = observer
        }
    }

    func pendingSubmissions() -> [PendingSubmission] {
        state.withLock { $0.onPending }?()
        return state.withLock { $0.pending }
    }

    /// Does something each time before the pending submissions are read.
    func whenPendingIsRead(_ action: (@Sendable () -> Void)?) { state.withLock { $0.onPending = action } }

    func shutdown(_ policy: ShutdownPolicy) async { state.withLock { $0.policies.append(policy) } }

    /// Puts a request into the line.
    func submit(_ submission: PendingSubmission) { state.withLock { $0.pending.append(submission) } }

    /// Takes requests out of the line, as a driver does before its turn ends.
    func take(through number: UInt64) { state.withLock { $0.pending.removeAll { $0.number <= number } } }

    /// Tells the observer of a turn.
    func tell(_ turn: PoolTurn) { state.withLock { $0.observer }?.poolDidTurn(turn) }
}

/// Turns in few words.
extension PoolTurn {
    init(_ events: [PoolEvent] = []) {
        self.init(now: MonotonicTime(nanoseconds: 0))
        self.events = events
    }

    /// Introduces an origin.
    func introducing(_ index: Int32, _ host: String) -> PoolTurn {
        var turn = self
        turn.newOrigins.append(PoolTurn.NewOrigin(OriginID(index: index), Origin(scheme: "http", host: host, port: 80)))
        return turn
    }

    /// Sets the levels of an origin.
    func levels(_ index: Int32, idle: Int = 0, active: Int = 0, queued: Int = 0, inFlight: Int = 0) -> PoolTurn {
        var turn = self
        var levels = OriginLevels()
        levels.connections.idle = idle
        levels.connections.active = active
        levels.requests.queued = queued
        levels.requests.inFlight = inFlight
        turn.origins.append(PoolTurn.ChangedOrigin(OriginID(index: index), levels))
        return turn
    }

    /// Sets the levels of a call site.
    func levels(_ site: CallSite, queued: Int) -> PoolTurn {
        var turn = self
        var levels = RequestLevels()
        levels.queued = queued
        turn.sites.append(PoolTurn.ChangedSite(site, levels))
        return turn
    }
}

extension OriginID {
    static let a = OriginID(index: 0)
    static let b = OriginID(index: 1)
}
