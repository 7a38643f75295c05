import Synchronization

/// What arrived at a server, whatever became of the answer.
package final class Ledger: Sendable {
    private struct Route: Hashable {
        var method: String
        var path: String
    }
    private struct State {
        var arrivals: [Route: Int] = [:]
        var byToken: [String: Int] = [:]
        var mostOfOneToken: [String: Int] = [:]
        var garbled = 0
    }
    private let state = Mutex(State())

    func record(_ request: ArrivedRequest) {
        let isGarbled = !TokenText.isText(request.body, of: request.token)
        state.withLock { state in
            state.arrivals[Route(method: request.method, path: request.path), default: 0] += 1
            if isGarbled { state.garbled += 1 }
            guard !request.token.isEmpty else { return }
            state.byToken[request.token, default: 0] += 1
            let times = state.byToken[request.token] ?? 0
            state.mostOfOneToken[request.method] = max(state.mostOfOneToken[request.method] ?? 0, times)
        }
    }

    /// How often a method and a path arrived.
    package func arrivals(_ method: String, _ path: String) -> Int {
        state.withLock { $0.arrivals[Route(method: method, path: path)] ?? 0 }
    }

    /// How often the request with this token arrived.
    package func arrivals(ofToken token: String) -> Int { state.withLock { $0.byToken[token] ?? 0 } }

    /// How often that request of a method arrived that arrived the most often.
    package func mostArrivals(_ method: String) -> Int { state.withLock { $0.mostOfOneToken[method] ?? 0 } }

    /// All arrivals.
    package var total: Int { state.withLock { $0.arrivals.values.reduce(0, +) } }

    /// Requests whose body was not what its token promises.
    package var garbled: Int { state.withLock { $0.garbled } }
}
