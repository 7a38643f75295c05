import HTTPPool
import Histogram
import Synchronization

/// The result of one request of the load.
enum LoadOutcome: Sendable, Hashable {
    /// A response of any status.
    case answer(status: Int)
    /// No response, but an error with this code, and what it says.
    case error(code: String, reason: String? = nil)

    init(_ error: any Error) {
        switch error {
        case let error as PoolError: self = .error(code: error.code.description, reason: error.cause)
        case is CancellationError: self = .error(code: "cancelled")
        default: self = .error(code: String(describing: type(of: error)))
        }
    }
}

/// The results of the load so far.
struct LoadTally: Sendable {
    /// Responses, by the first digit of their status.
    private(set) var answers: [Int: UInt64] = [:]
    /// Failed requests, by error code.
    private(set) var errors: [String: UInt64] = [:]
    /// What the last error of each code says.
    private(set) var reasons: [String: String] = [:]
    /// Latencies up to the end of the response, in nanoseconds.
    private(set) var latency = Histogram<UInt64>(numberOfSignificantValueDigits: .three)
    /// The totals of pools that have been shut down.
    private(set) var endedPools = PoolTotals()
    /// The time from the start of the load to the last response; zero while it is running.
    private(set) var elapsed = Duration.zero

    var errorCount: UInt64 { errors.values.reduce(0, +) }
    var requestCount: UInt64 { answers.values.reduce(errorCount, +) }

    /// What to say of a load in which every request failed; `nil` of any other.
    var failure: String? {
        guard errorCount > 0, errorCount == requestCount else { return nil }
        let counts = errors.sorted { $0.key < $1.key }.map { code, count in
            "\(code) \(count)" + (reasons[code].map { ", the last: \($0)" } ?? "")
        }.joined(separator: "; ")
        return "every request failed (\(counts))"
    }

    mutating func note(_ outcome: LoadOutcome, after duration: Duration) {
        switch outcome {
        case .answer(let status):
            answers[status / 100, default: 0] += 1
            latency.record(duration.wholeNanoseconds)
        case .error(let code, let reason):
            errors[code, default: 0] += 1
            if let reason { reasons[code] = reason }
        }
    }

    mutating func note(endOf pool: PoolTotals) { endedPools += pool }

    mutating func noteEnd(after elapsed: Duration) { self.elapsed = elapsed }
}

extension PoolError {
    /// The origin and the reason, without what differs from request to request.
    fileprivate var cause: String {
        (origin.map { "\($0): " } ?? "") + reason + (limit.map { "; in force: \($0)" } ?? "")
    }
}

/// The tally shared by all workers.
final class LoadLedger: Sendable {
    private let tally = Mutex(LoadTally())

    func update(_ change: (inout LoadTally) -> Void) { tally.withLock { change(&$0) } }

    func read() -> LoadTally { tally.withLock { $0 } }
}
