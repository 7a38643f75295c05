import HTTPPool
import HeapModule

/// What happens because time passed: rules 3 and 6, and the timeouts of each phase.
extension PoolStateMachine {
    /// When a queued request gives up.
    struct QueueDeadline: Comparable {
        let time: MonotonicTime
        let request: RequestID
        /// The number tells whether the entry still means the same request.
        let number: UInt64

        static func < (a: Self, b: Self) -> Bool { a.time < b.time }
    }

    /// When a slot is to be looked at.
    struct SlotDeadline: Comparable {
        let time: MonotonicTime
        let slot: SlotID

        static func < (a: Self, b: Self) -> Bool { a.time < b.time }
    }

    /// The next moment at which ``timePassed(to:)`` has something to do; `nil` when there is none.
    mutating func nextDeadline() -> MonotonicTime? {
        while let first = queueDeadlines.min, !isLive(first) { queueDeadlines.removeMin() }
        while let first = slotDeadlines.min, !isLive(first) { slotDeadlines.removeMin() }
        var next = MonotonicTime(nanoseconds: .max)
        if let first = queueDeadlines.min { next = min(next, first.time) }
        if let first = slotDeadlines.min { next = min(next, first.time) }
        if let idleDeadline { next = min(next, idleDeadline) }
        if let graceEnds = shutdown?.graceEnds { next = min(next, graceEnds) }
        return next.nanoseconds == .max ? nil : next
    }

    /// Does what is due.
    mutating func timePassed(to now: MonotonicTime) {
        while let first = queueDeadlines.min, first.time <= now {
            queueDeadlines.removeMin()
            if isLive(first) { timeOutInQueue(first.request, behind: requests[first.request].waitsBehind, at: now) }
        }
        while let first = slotDeadlines.min, first.time <= now {
            slotDeadlines.removeMin()
            if isLive(first) {
                slots[first.slot].armed = nil
                checkDeadline(of: first.slot, at: now)
            }
        }
        while let deadline = idleDeadline, deadline <= now, let slot = idleOrder.first {
            close(slot, .idleExpired, at: now)
        }
        if let graceEnds = shutdown?.graceEnds, graceEnds <= now { endGrace(at: now) }
        serve(at: now)
    }

    // MARK: The queue

    mutating func armQueueDeadline(of id: RequestID) {
        let request = requests[id]
        let time = min(request.acquireDeadline, request.totalDeadline)
        guard time.nanoseconds < .max else { return }
        queueDeadlines.insert(QueueDeadline(time: time, request: id, number: request.number))
        // Requests that were served leave their entries behind until these are due; a long queue that moves fast
        // would pile them up. Clearing when they are the greater part costs each entry a constant.
        if queueDeadlines.count > 2 * queuedCount + 64 {
            queueDeadlines = Heap(queueDeadlines.unordered.filter(isLive))
        }
    }

    mutating func timeOutInQueue(_ id: RequestID, behind limit: PoolLimit, at now: MonotonicTime) {
        let isTotal = requests[id].totalDeadline < requests[id].acquireDeadline
        let others = queuedCount - (requests[id].isInQueue ? 1 : 0)
        removeFromQueue(id)
        failAcquisition(
            id,
            .timeout,
            isTotal ? .totalTimeout : .acquireTimeout(behind: limit, otherWaiters: others),
            at: now
        )
    }

    private func isLive(_ deadline: QueueDeadline) -> Bool {
        guard requests.contains(deadline.request) else { return false }
        let request = requests[deadline.request]
        return request.number == deadline.number && request.isInQueue
    }

    // MARK: Slots

    /// Makes sure that the slot is looked at when its phase runs out.
    ///
    /// A slot has one live entry. A later deadline leaves the entry where it is: looked at too early, the slot is armed
    /// again. So a busy connection costs one entry each read timeout, not one for each request.
    mutating func arm(_ slot: SlotID) {
        guard let deadline = deadline(of: slot)?.time else { return }
        if let armed = slots[slot].armed, armed <= deadline { return }
        slots[slot].armed = deadline
        slotDeadlines.insert(SlotDeadline(time: deadline, slot: slot))
        if slotDeadlines.count > 4 * slots.count + 64 {
            slotDeadlines = Heap(slotDeadlines.unordered.filter(isLive))
        }
    }

    private func isLive(_ deadline: SlotDeadline) -> Bool {
        slots.contains(deadline.slot) && slots[deadline.slot].armed == deadline.time
    }

    private mutating func checkDeadline(of slot: SlotID, at now: MonotonicTime) {
        guard let deadline = deadline(of: slot) else { return }
        guard deadline.time <= now else {
            arm(slot)
            return
        }
        switch slots[slot].state {
        case .connecting(let id):
            end(
                id,
                deadline.failure,
                acquireFailure: deadline.failure == .totalTimeout ? .timeout : .connectFailed,
                closeReason: .requestTimeout,
                connectFailure: .timeout,
                at: now
            )
        case .active(let id):
            end(
                id,
                deadline.failure,
                acquireFailure: .timeout,
                closeReason: .requestTimeout,
                connectFailure: .timeout,
                at: now
            )
        case .idle:
            close(slot, .maxLifetime, at: now)
        }
    }

    /// When the slot's present phase runs out, and what that means for its request.
    private func deadline(of slot: SlotID) -> (time: MonotonicTime, failure: RequestFailure)? {
        let state = slots[slot]
        let phase: (time: MonotonicTime, failure: RequestFailure)
        let total: MonotonicTime
        switch state.state {
        case .connecting(let id):
            phase = (state.opening + requests[id].timeouts.connect, .connectTimeout)
            total = requests[id].totalDeadline
        case .active(let id):
            phase =
                state.isUploading
                ? (state.progress + requests[id].timeouts.write, .writeTimeout)
                : (state.progress + requests[id].timeouts.read, .readTimeout)
            total = requests[id].totalDeadline
        case .idle:
            phase = (state.opened + rules.maxConnectionLifetime, .shutdown)
            total = MonotonicTime(nanoseconds: .max)
        }
        let first = total < phase.time ? (total, .totalTimeout) : phase
        return first.time.nanoseconds == .max ? nil : first
    }

    // MARK: Idle connections

    private var idleDeadline: MonotonicTime? {
        guard rules.keepaliveExpiry < .max, let slot = idleOrder.first else { return nil }
        return slots[slot].idleSince + rules.keepaliveExpiry
    }
}
