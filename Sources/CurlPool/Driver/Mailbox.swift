import HTTPPool
import Synchronization

/// What callers hand to the driver's thread. A caller wakes the thread only when it sleeps.
final class Mailbox: Sendable {
    /// An instruction to the driver.
    enum Command {
        case shutDown(ShutdownPolicy, UnsafeContinuation<Void, Never>?)
        case reconfigure(PoolConfiguration, UnsafeContinuation<Void, any Error>)
        case lookedUp(EndedLookUp)
    }

    /// What a look-up of a name has come to.
    struct EndedLookUp: Sendable {
        let name: String
        let ticket: UInt64
        let result: Result<KnownAddresses, NameFailure>
    }

    /// What the driver took.
    struct Batch {
        var submissions: [Exchange] = []
        var cancellations: [Exchange] = []
        /// Their callers have read of the answer, or written of the body.
        var nudges: [Exchange] = []
        var commands: [Command] = []

        var isEmpty: Bool { submissions.isEmpty && cancellations.isEmpty && nudges.isEmpty && commands.isEmpty }

        mutating func removeAll() {
            if !submissions.isEmpty { submissions.removeAll(keepingCapacity: true) }
            if !cancellations.isEmpty { cancellations.removeAll(keepingCapacity: true) }
            if !nudges.isEmpty { nudges.removeAll(keepingCapacity: true) }
            if !commands.isEmpty { commands.removeAll(keepingCapacity: true) }
        }
    }

    /// What became of a submission.
    enum Admission {
        case accepted
        /// Its task was cancelled before it came.
        case cancelled
        /// The pool has ended. The number is the last one that was given out.
        case ended(lastNumber: UInt64, (any PoolObserver)?)
    }

    private struct State {
        var pending = Batch()
        /// What the driver took last. Its submissions stay in sight until the driver has told its observer of them,
        /// and its memory is used again.
        var taken = Batch()
        var lastNumber: UInt64 = 0
        var observer: (any PoolObserver)?
        /// Since when the driver has been at work on its turn; `nil` while it sleeps.
        var busySince: MonotonicTime?
        var hasEnded = false

        /// What is pending becomes what was taken.
        mutating func turnOver() -> Batch {
            taken.removeAll()
            swap(&taken, &pending)
            return taken
        }
    }

    private let state = Mutex(State())
    /// Held while the observer is called after the end.
    private let refusals = Mutex(())
    private let waker: EventQueue.Waker

    init(waker: EventQueue.Waker) { self.waker = waker }

    // MARK: Callers

    func submit(_ exchange: Exchange, continuation: Exchange.Continuation) -> Admission {
        state.withLock { state in
            if state.hasEnded { return .ended(lastNumber: state.lastNumber, state.observer) }
            guard exchange.admission != .cancelled else { return .cancelled }
            state.lastNumber += 1
            exchange.number = state.lastNumber
            exchange.continuation = continuation
            exchange.submitted = MonotonicTime.now()
            exchange.admission = .submitted
            state.pending.submissions.append(exchange)
            wakeDriver(&state)
            return .accepted
        }
    }

    func cancel(_ exchange: Exchange) {
        state.withLock { state in
            switch exchange.admission {
            case .new: exchange.admission = .cancelled
            case .cancelled: break
            case .submitted:
                guard !state.hasEnded else { return }
                state.pending.cancellations.append(exchange)
                wakeDriver(&state)
            }
        }
    }

    /// The response that the exchange is receiving turned out to be invalid.
    func refuseResponse(of exchange: Exchange) {
        state.withLock { state in
            guard !state.hasEnded else { return }
            exchange.isResponseRefused = true
            state.pending.cancellations.append(exchange)
            wakeDriver(&state)
        }
    }

    /// The driver is to look at the exchange's streams again.
    func nudge(_ exchange: Exchange) {
        state.withLock { state in
            guard !state.hasEnded else { return }
            state.pending.nudges.append(exchange)
            wakeDriver(&state)
        }
    }

    /// - Returns: `false` when the pool has ended; then the command is dropped.
    func post(_ command: Command) -> Bool {
        state.withLock { state in
            guard !state.hasEnded else { return false }
            state.pending.commands.append(command)
            wakeDriver(&state)
            return true
        }
    }

    func attach(_ observer: any PoolObserver) throws(PoolError) {
        let isAccepted = state.withLock { state in
            guard state.observer == nil, state.lastNumber == 0 else { return false }
            state.observer = observer
            return true
        }
        if !isAccepted {
            throw PoolError(
                .observerRefused,
                "the pool has an observer already, or had a request before this one came",
                phase: .submit
            )
        }
    }

    /// Submissions that no turn has told of, and some that one has: their numbers tell which.
    func pendingSubmissions() -> [PendingSubmission] {
        let (taken, pending) = state.withLock { ($0.taken.submissions, $0.pending.submissions) }
        return (taken + pending).map(\.pending)
    }

    // MARK: The driver

    /// Takes everything, `nil` where there is nothing; and the observer, as soon as there is one. The driver is awake from
    /// now on. What it took before it has told its observer of.
    func take(at now: MonotonicTime, _ observer: inout (any PoolObserver)?) -> Batch? {
        state.withLock { state in
            if state.busySince == nil { state.busySince = now }
            if observer == nil { observer = state.observer }
            return state.pending.isEmpty ? nil : state.turnOver()
        }
    }

    /// The driver has told its observer of what it took, and is about to sleep. `false`: it must not, there is something
    /// to take, or tasks of its executor are ready; the next turn begins now.
    func prepareToSleep(at now: MonotonicTime, hasJobs: Bool) -> Bool {
        state.withLock { state in
            guard state.pending.isEmpty, !hasJobs else {
                state.busySince = now
                return false
            }
            state.busySince = nil
            // Answers are not held longer than their callers hold them.
            state.taken.removeAll()
            return true
        }
    }

    /// Since when the driver has been at work on its turn; `nil` while it sleeps.
    var busySince: MonotonicTime? { state.withLock { $0.busySince } }

    /// The driver has ended: whatever comes later is refused, and the waker is not used again.
    func end() -> (Batch, (any PoolObserver)?) {
        state.withLock { state in
            state.hasEnded = true
            state.busySince = nil
            return (state.turnOver(), state.observer)
        }
    }

    /// Reports a request that came after the end. Many threads may refuse requests then, and the observer is called by one
    /// at a time.
    func report(_ refusal: Refusal, to observer: (any PoolObserver)?) {
        guard let observer else { return }
        refusals.withLock { _ in observer.poolDidTurn(refusal.turn(at: MonotonicTime.now())) }
    }

    /// There is something to do for the driver that is not in here.
    func wakeDriver() {
        state.withLock { state in
            if !state.hasEnded { waker.wake() }
        }
    }

    /// Inside the lock, so that the driver cannot end and close the descriptor in between.
    private func wakeDriver(_ state: inout State) {
        guard state.busySince == nil else { return }
        state.busySince = MonotonicTime.now()
        waker.wake()
    }
}
