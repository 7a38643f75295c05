package import HTTPPool
package import HTTPTypes
import Synchronization

/// A client without a pool: it responds as the test says, and records what it is asked.
package final class ScriptedClient: PooledHTTPClient, ConfiguredClient {
    package enum Outcome: Sendable {
        case answer(Int, retryAfter: String? = nil)
        case failure(PoolError.Code)
        case cancelled
    }
    private struct State {
        var outcomes: [Outcome]
        var attempts: [RequestOptions] = []
        var discarded = 0
    }
    private let state: Mutex<State>
    /// Called during each attempt.
    private let during: @Sendable () -> Void

    /// The last outcome repeats itself.
    package init(_ outcomes: [Outcome], during: @escaping @Sendable () -> Void = {}) {
        state = Mutex(State(outcomes: outcomes))
        self.during = during
    }

    /// The options of each attempt.
    package var attempts: [RequestOptions] { state.withLock { $0.attempts } }
    /// How many bodies nobody wanted.
    package var discarded: Int { state.withLock { $0.discarded } }

    package func execute(
        _: HTTPRequest,
        body _: HTTPRequestBody,
        options: RequestOptions
    ) async throws -> PooledResponse {
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
            return PooledResponse(head: head, body: HTTPResponseBody(source: Source(text: "\(number)", client: self)))
        case .failure(let code): throw PoolError(code, "attempt \(number)", phase: .exchange, elapsed: .seconds(number))
        case .cancelled: throw CancellationError()
        }
    }

    package let configuration = PoolConfiguration()

    private final class Source: ResponseBodySource {
        private let text: String
        private let client: ScriptedClient
        init(text: String, client: ScriptedClient) { (self.text, self.client) = (text, client) }
        func next() async throws -> [UInt8]? { nil }
        /// Whoever does without a body reads it only where it is small.
        func collect(upTo limit: Int) async throws -> [UInt8] {
            if limit < HTTPResponseBody.defaultCollectLimit { discard() }
            return Array(text.utf8)
        }
        func discard() { client.state.withLock { $0.discarded += 1 } }
    }
}
