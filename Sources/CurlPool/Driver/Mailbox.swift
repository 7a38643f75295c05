import HTTPPool
import Synchronization

/// The queue from callers to the driver's thread. Posting wakes the thread only if it sleeps.
final class Mailbox: Sendable {
    /// A command to the driver.
    enum Command {
        case shutDown(ShutdownPolicy, UnsafeContinuation<Void, Never>?)
        case reconfigure(PoolConfiguration, UnsafeContinuation<Void, any Error>)
        case lookedUp(EndedLookUp)
    }

    /// The result of a name look-up.
    struct EndedLookUp: Sendable {
        let name: String
        let ticket: UInt64
        let result: Result<KnownAddresses, NameFailure>
    }

    /// Everything that the driver takes at once.
    struct Batch {
        var submissions: [Exchange] = []
        var cancellations: [Exchange] = []
        /// Exchanges whose callers have read from the response's body or written to the request's body.
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

    /// The outcome of a submission.
    enum Admission {
        case accepted
        /// The task was cancelled before the submission.
        case cancelled
        /// The pool has ended. Carries the last request number assigned.
        case ended(lastNumber: UInt64, (any PoolObserver)?)
    }

    private struct State {
        var pending = Batch()
        /// What the driver took last. Its submissions stay visible to ``pendingSubmissions()`` until the driver has
        /// reported them to its observer; then its memory is reused.
        var taken = Batch()
        var lastNumber: UInt64 = 0
        var observer: (any PoolObserver)?
        /// When the driver's current turn began; `nil` while it sleeps.
        var busySince: MonotonicTime?
        var hasEnded = false

        /// Moves everything pending into `taken`.
        mutating func turnOver() -> Batch {
            taken.removeAll()
            swap(&taken, &pending)
            return taken
        }
    }

    private let state = Mutex(State())
    /// Serializes calls to the observer after the pool has ended.
    private let refusals = Mutex(())
    private let waker: EventQueue.Waker

    init(waker: EventQueue.Waker) { self.waker = waker }

    // MARK: Callers

    func submit(_ exchange: Exchange, continuation: CallerSlot.Continuation) -> Admission {
        state.withLock { state in
            if state.hasEnded { return .ended(lastNumber: state.lastNumber, state.observer) }
            guard exchange.admission != .cancelled else { return .cancelled }
            state.lastNumber += 1
            exchange.number = state.lastNumber
            exchange.caller.wait(with: continuation)
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

    /// Ends an exchange whose reader found the response to be invalid.
    func refuseResponse(of exchange: Exchange) {
        state.withLock { state in
            guard !state.hasEnded else { return }
            exchange.isResponseRefused = true
            state.pending.cancellations.append(exchange)
            wakeDriver(&state)
        }
    }

    /// Makes the driver examine the exchange's streams again.
    func nudge(_ exchange: Exchange) {
        state.withLock { state in
            guard !state.hasEnded else { return }
            state.pending.nudges.append(exchange)
            wakeDriver(&state)
        }
    }

    /// - Returns: `false` when the pool has ended; the command is then dropped.
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
                "the pool already has an observer, or has already had a request",
                phase: .submit
            )
        }
    }

    /// All submissions that no turn has reported yet, possibly along with some that one has. Request numbers tell
    /// them apart.
    func pendingSubmissions() -> [PendingSubmission] {
        let (taken, pending) = state.withLock { ($0.taken.submissions, $0.pending.submissions) }
        return (taken + pending).map(\.pending)
    }

    // MARK: The driver

    /// Takes everything pending, and the observer once there is one. Marks the driver as awake.
    ///
    /// - Returns: `nil` if nothing is pending.
    /// - Precondition: the driver has reported the previous batch to its observer.
    func take(at now: MonotonicTime, _ observer: inout (any PoolObserver)?) -> Batch? {
        state.withLock { state in
            if state.busySince == nil { state.busySince = now }
            if observer == nil { observer = state.observer }
            return state.pending.isEmpty ? nil : state.turnOver()
        }
    }

    /// Marks the driver as asleep. Called after the driver has reported the last batch to its observer.
    ///
    /// - Returns: `false` if the driver must not sleep, because something is pending or jobs of its executor are
    ///   ready. The next turn then begins now.
    func prepareToSleep(at now: MonotonicTime, hasJobs: Bool) -> Bool {
        state.withLock { state in
            guard state.pending.isEmpty, !hasJobs else {
                state.busySince = now
                return false
            }
            state.busySince = nil
            // Releases the exchanges, so that responses live no longer than their callers need them.
            state.taken.removeAll()
            return true
        }
    }

    /// When the driver's current turn began; `nil` while it sleeps.
    var busySince: MonotonicTime? { state.withLock { $0.busySince } }

    /// Marks the pool as ended. Later submissions are refused, and the waker is not used again.
    func end() -> (Batch, (any PoolObserver)?) {
        state.withLock { state in
            state.hasEnded = true
            state.busySince = nil
            return (state.turnOver(), state.observer)
        }
    }

    /// Reports a request that was submitted after the end. Many threads may do so at once; the calls to the
    /// observer are serialized.
    func report(_ refusal: Refusal, to observer: (any PoolObserver)?) {
        guard let observer else { return }
        refusals.withLock { _ in observer.poolDidTurn(refusal.turn(at: MonotonicTime.now())) }
    }

    /// Wakes the driver for work that is not in the mailbox.
    func wakeDriver() {
        state.withLock { state in
            if !state.hasEnded { waker.wake() }
        }
    }

    /// Must be called with the lock held, so that the driver cannot end and close the descriptor in between.
    private func wakeDriver(_ state: inout State) {
        guard state.busySince == nil else { return }
        state.busySince = MonotonicTime.now()
        waker.wake()
    }
}
