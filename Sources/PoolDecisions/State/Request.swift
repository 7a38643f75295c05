import HTTPPool

/// A request that is not finished.
struct Request {
    enum State {
        case queued
        /// It has a place on the slot's connection, which is not ready for it.
        case connecting(SlotID)
        /// It holds the slot's connection, or a stream of it.
        case inFlight(SlotID)
    }

    let number: UInt64
    /// The count at its submission: see ``ServingOrder/nextCount()``.
    let count: UInt64
    let origin: Int
    let site: CallSite
    let submitted: MonotonicTime
    let timeouts: PhaseTimeouts
    let isRepeatable: Bool
    let hasBody: Bool
    let trace: TraceID?
    private(set) var state = State.queued
    /// The driver tries to send it on a connection that others are on.
    var isJoining = false

    /// When a byte of it last moved.
    private(set) var progress: MonotonicTime
    /// Who is to move the next byte.
    private(set) var awaiting = Awaiting.response
    /// The head of the final response has arrived.
    private(set) var hasHead = false
    /// When this acquisition began: at the submission, or at the retry.
    private(set) var acquisitionBegan: MonotonicTime
    /// When it got its slot, or the first of those that it had without waiting in between; `nil` while it waits.
    private(set) var placed: MonotonicTime?
    /// When its connection was ready.
    private(set) var acquired: MonotonicTime
    /// How often it met a dead connection.
    private(set) var retries = 0

    init(_ new: NewRequest, origin: Int, count: UInt64) {
        number = new.number
        self.count = count
        self.origin = origin
        site = new.site
        submitted = new.submitted
        timeouts = new.timeouts
        isRepeatable = new.isRepeatable
        hasBody = new.hasBody
        trace = new.trace
        progress = new.submitted
        acquisitionBegan = new.submitted
        acquired = new.submitted
    }

    var isRetry: Bool { retries > 0 }
    /// What it is waiting for.
    var phase: RequestPhase {
        switch (state, awaiting) {
        case (.queued, _): .queued
        case (.connecting, _): .connecting
        case (.inFlight, .peerTakes): .sending
        case (.inFlight, .response): hasHead ? .receiving : .waitingForHead
        case (.inFlight, .caller): .heldByCaller
        }
    }
    /// The slot whose connection it holds, or is to hold.
    var slot: SlotID? {
        switch state {
        case .queued: nil
        case .connecting(let slot), .inFlight(let slot): slot
        }
    }
    var acquireDeadline: MonotonicTime { submitted + timeouts.acquire }
    var totalDeadline: MonotonicTime { submitted + timeouts.total }

    /// How long the present acquisition has waited for a slot, in nanoseconds.
    func queuedTime(at now: MonotonicTime) -> UInt64 { (placed ?? now) - acquisitionBegan }

    /// When the phase that it is in with its slot runs out, and what that means; `nil` if there is no limit.
    var phaseDeadline: (time: MonotonicTime, failure: RequestFailure)? {
        let phase: (time: MonotonicTime, failure: RequestFailure)
        switch (state, awaiting) {
        case (.queued, _): return nil
        case (.connecting, _): phase = ((placed ?? acquisitionBegan) + timeouts.connect, .connectTimeout)
        case (.inFlight, .response): phase = (progress + timeouts.read, .readTimeout)
        case (.inFlight, .peerTakes): phase = (progress + timeouts.write, .writeTimeout)
        case (.inFlight, .caller): phase = (.never, .totalTimeout)
        }
        let total = totalDeadline
        let first = total < phase.time ? (total, .totalTimeout) : phase
        return first.time == .never ? nil : first
    }

    // MARK: Changes

    /// - Returns: the state before.
    mutating func move(to new: State) -> State {
        defer { state = new }
        return state
    }

    /// It has a slot. If it lost another one without waiting, it had one all the time.
    mutating func notePlaced(at now: MonotonicTime) {
        if placed == nil { placed = now }
    }

    /// It waits for a slot again.
    mutating func noteWaiting() { placed = nil }

    /// It holds a ready connection from now on.
    mutating func noteAcquired(at now: MonotonicTime) {
        acquired = now
        hasHead = false
        noteProgress(at: now, hasBody ? .peerTakes : .response)
    }

    mutating func noteHead() { hasHead = true }

    /// Bytes of it moved, or who is to move the next has changed.
    mutating func noteProgress(at now: MonotonicTime, _ next: Awaiting) {
        progress = now
        awaiting = next
    }

    /// It met a dead connection and is acquired anew.
    mutating func noteRetry(at now: MonotonicTime) {
        retries += 1
        acquisitionBegan = now
        placed = nil
    }
}
