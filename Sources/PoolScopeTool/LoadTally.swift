import HTTPPool
import Histogram
import Synchronization

/// How one request of the load ended.
enum LoadOutcome: Sendable, Hashable {
    /// An answer came, of whatever status.
    case answer(status: Int)
    /// None came, and this is the code of the error.
    case error(code: String)

    init(_ error: any Error) {
        switch error {
        case let error as PoolError: self = .error(code: error.code.description)
        case is CancellationError: self = .error(code: "cancelled")
        default: self = .error(code: String(describing: type(of: error)))
        }
    }
}

/// What has become of the load's requests so far.
struct LoadTally: Sendable {
    /// Answers by the hundreds of their status.
    private(set) var answers: [Int: UInt64] = [:]
    /// Requests without an answer, by the code of the error.
    private(set) var errors: [String: UInt64] = [:]
    /// Nanoseconds to the end of an answer, over all that came.
    private(set) var latency = Histogram<UInt64>(numberOfSignificantValueDigits: .three)
    /// The numbers of pools that are shut down, added up.
    private(set) var endedPools = PoolTotals()
    /// From the beginning of the load to its last answer; zero while it goes on.
    private(set) var elapsed = Duration.zero

    var errorCount: UInt64 { errors.values.reduce(0, +) }
    var requestCount: UInt64 { answers.values.reduce(errorCount, +) }

    mutating func note(_ outcome: LoadOutcome, after duration: Duration) {
        switch outcome {
        case .answer(let status):
            answers[status / 100, default: 0] += 1
            latency.record(duration.wholeNanoseconds)
        case .error(let code): errors[code, default: 0] += 1
        }
    }

    mutating func note(endOf pool: PoolTotals) { endedPools += pool }

    mutating func noteEnd(after elapsed: Duration) { self.elapsed = elapsed }
}

/// The tally that all workers write to.
final class LoadLedger: Sendable {
    private let tally = Mutex(LoadTally())

    func update(_ change: (inout LoadTally) -> Void) { tally.withLock { change(&$0) } }

    func read() -> LoadTally { tally.withLock { $0 } }
}
