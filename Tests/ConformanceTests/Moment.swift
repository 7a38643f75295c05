import FaultServer
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport

/// The states of a request in which it may be cancelled.
enum Moment: String, Sendable, CaseIterable {
    case queued, connecting, inHandshake, sending, waitingForHead, readingHead, readingBody

    /// The server to which a request stays in this state.
    func server() throws -> FaultServer {
        switch self {
        case .queued, .waitingForHead, .readingHead, .readingBody: try FaultServer()
        case .connecting: try FaultServer(.full)
        case .inHandshake, .sending: try FaultServer(.silent)
        }
    }

    func question(to server: FaultServer) -> Question {
        switch self {
        case .queued, .connecting: Question(.plain, to: server)
        case .inHandshake: Question(.plain, to: server, scheme: "https")
        case .sending: Question(.plain, .post, to: server, bodyBytes: 16 << 20)
        case .waitingForHead: Question(.hang, to: server)
        case .readingHead: Question(.hangInHead, to: server)
        case .readingBody: Question(.hangInBody, to: server)
        }
    }

    /// Waits until the request is in this state.
    private func arrives(_ question: Question, at server: FaultServer, in client: InstrumentedClient) async throws {
        try await eventually("\(self)") {
            let numbers = client.reading().origins.first { $0.label.hasSuffix(":\(server.port)") }
            let requests = numbers?.levels.requests
            return switch self {
            case .queued: requests?.queued == 1
            case .connecting, .inHandshake: requests?.connecting == 1
            case .sending: requests?.inFlight == 1
            case .waitingForHead, .readingHead, .readingBody: server.ledger.arrivals(ofToken: question.token) == 1
            }
        }
    }

    /// Sends a request, cancels it in this state and waits for the end of its task.
    ///
    /// - Returns: whether the task ended as a cancelled one does.
    func cancelOne(to server: FaultServer, in client: InstrumentedClient) async throws -> Bool {
        let question = question(to: server)
        let task = Task { try await question.ask(client) }
        try await arrives(question, at: server, in: client)
        task.cancel()
        do {
            _ = try await task.value
            return false
        } catch is CancellationError {
            return true
        }
    }
}
