internal import HTTPPool
private import HTTPTypes
internal import PoolMetrics
internal import PoolPeer
private import Synchronization

/// The load of a soak: so many requests a second, whatever becomes of them.
struct SoakLoad: Sendable {
    /// Authorities that answer.
    let answering: [String]
    /// The authority that never answers.
    let silent: String
    /// The authority where nobody listens.
    let refusing: String
    let perSecond: Int
    let client: InstrumentedClient
    let tally = SoakTally()

    /// Starts requests until the time is over, and waits until all have ended.
    func run(for duration: Duration) async throws {
        let start = ContinuousClock.now
        try await withThrowingDiscardingTaskGroup { group in
            var started = 0
            while true {
                let elapsed = ContinuousClock.now - start
                if elapsed >= duration { break }
                while started < Int(elapsed / .seconds(1) * Double(perSecond)) {
                    let (call, request) = (SoakCall.inTurn[started % SoakCall.inTurn.count], try request(started))
                    group.addTask { await tally.add(call, ending: send(call, request)) }
                    started += 1
                }
                // The pace: what is due by then is sent together.
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }

    private func request(_ number: Int) throws -> PoolRequest {
        let call = SoakCall.inTurn[number % SoakCall.inTurn.count]
        let authority =
            switch call {
            case .hanging, .abandoned: silent
            case .refused: refusing
            case .small, .large, .failing, .closing, .dropped: answering[number % answering.count]
            }
        return try PoolRequest("http://\(authority)\(call.path)")
    }

    /// Sends one, and says how it ended: `nil` for an error that is neither the pool's nor a cancellation.
    private func send(_ call: SoakCall, _ request: PoolRequest) async -> SoakCall.Ending? {
        var options = RequestOptions(site: CallSite(call.rawValue))
        if call == .hanging {
            var timeouts = PoolTimeouts()
            timeouts.read = .milliseconds(200)
            options.timeouts = RequestTimeouts(timeouts)
        }
        let sent = Task { [options] in try await client.execute(request.http, body: .none, options: options) }
        if call == .abandoned {
            // It is under way by then, and its peer never answers.
            try? await Task.sleep(for: .milliseconds(50))
            sent.cancel()
        }
        do {
            return .status(try await sent.value.status.code)
        } catch let error as PoolError {
            return .failure(error.code)
        } catch {
            return error is CancellationError ? .cancellation : nil
        }
    }
}

/// How the requests of a soak ended.
final class SoakTally: Sendable {
    private let counts = Mutex<(right: Int, wrong: [String: Int])>((0, [:]))

    /// Those that ended as they must.
    var right: Int { counts.withLock { $0.right } }

    /// The others, in words.
    var wrong: [String: Int] { counts.withLock { $0.wrong } }

    func add(_ call: SoakCall, ending: SoakCall.Ending?) {
        counts.withLock { counts in
            if ending == call.ending {
                counts.right += 1
            } else {
                counts.wrong["\(call): \(ending.map { "\($0)" } ?? "an unknown error")", default: 0] += 1
            }
        }
    }
}
