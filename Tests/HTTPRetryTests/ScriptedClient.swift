import HTTPPool
import HTTPTypes
import Synchronization

/// A client that answers as it is told, and writes down what it is asked.
final class ScriptedClient: PooledHTTPClient {
    enum Outcome: Sendable {
        case answer(Int, retryAfter: String? = nil)
        case failure(PoolError.Code)
        case cancelled
    }
    private struct State {
        var outcomes: [Outcome]
        var attempts: [RequestOptions] = []
        var calls: [String] = []
        var discarded = 0
    }
    private let state: Mutex<State>
    /// Called during each attempt.
    private let during: @Sendable () -> Void

    /// The last outcome repeats itself.
    init(_ outcomes: [Outcome], during: @escaping @Sendable () -> Void = {}) {
        state = Mutex(State(outcomes: outcomes))
        self.during = during
    }

    /// The options of each attempt.
    var attempts: [RequestOptions] { state.withLock { $0.attempts } }
    /// Everything else it was asked.
    var calls: [String] { state.withLock { $0.calls } }
    /// How many bodies nobody wanted.
    var discarded: Int { state.withLock { $0.discarded } }

    func execute(_: HTTPRequest, body _: RequestBody, options: RequestOptions) async throws -> PooledResponse {
        let (outcome, number) = state.withLock { state in
            state.attempts.append(options)
            let outcome = state.outcomes.count > 1 ? state.outcomes.removeFirst() : state.outcomes[0]
            return (outcome, state.attempts.count)
        }
        during()
        switch outcome {
        case .answer(let status, let retryAfter):
            var head = HTTPResponse(status: .init(code: status))
            if let retryAfter { head.headerFields[.retryAfter] = retryAfter }
            return PooledResponse(head: head, body: ResponseBody(source: Source(text: "\(number)", client: self)))
        case .failure(let code): throw PoolError(code, "attempt \(number)", phase: .exchange, elapsed: .seconds(number))
        case .cancelled: throw CancellationError()
        }
    }

    let configuration = {
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = 77
        return configuration
    }()
    let backend = PoolBackend(library: "scripted/1", tls: "none")
    let busySince: MonotonicTime? = MonotonicTime(nanoseconds: 7)
    let executor: (any TaskExecutor)? = ScriptedExecutor()
    func attach(_: any PoolObserver) throws { note("attach") }
    func pendingSubmissions() -> [PendingSubmission] {
        let origin = Origin(scheme: "http", host: "a", port: 80)
        return [
            PendingSubmission(number: 5, origin: origin, site: .unattributed, submitted: MonotonicTime(nanoseconds: 1))
        ]
    }
    func reconfigure(_ configuration: PoolConfiguration) async throws {
        note("reconfigure \(configuration.limits.maxConnections)")
    }
    func shutdown(_ policy: ShutdownPolicy) async { note("shutdown \(policy.grace)") }

    private func note(_ call: String) { state.withLock { $0.calls.append(call) } }

    private final class Source: ResponseBodySource {
        private let text: String
        private let client: ScriptedClient
        init(text: String, client: ScriptedClient) { (self.text, self.client) = (text, client) }
        func next() async throws -> [UInt8]? { nil }
        /// Whoever does without a body reads it only where it is small.
        func collect(upTo limit: Int) async throws -> [UInt8] {
            if limit < ResponseBody.defaultCollectLimit { discard() }
            return Array(text.utf8)
        }
        func discard() { client.state.withLock { $0.discarded += 1 } }
    }
}

/// It is only passed on.
private final class ScriptedExecutor: TaskExecutor {
    func enqueue(_: consuming ExecutorJob) {}
}
