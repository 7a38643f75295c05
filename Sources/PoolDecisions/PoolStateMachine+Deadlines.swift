package import HTTPPool
import HeapModule

/// What happens because time passed: rule 3, and the timeouts of each phase.
extension PoolStateMachine {
    /// When a queued request gives up, or was submitted.
    struct QueueMoment: Comparable {
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
    package mutating func nextDeadline() -> MonotonicTime? {
        while let first = queueDeadlines.min, !isLive(first) { queueDeadlines.removeMin() }
        while let first = slotDeadlines.min, !isLive(first) { slotDeadlines.removeMin() }
        while let first = originMoments.min, !isLive(first) { originMoments.removeMin() }
        var next = MonotonicTime(nanoseconds: .max)
        if let first = queueDeadlines.min { next = min(next, first.time) }
        if let first = slotDeadlines.min { next = min(next, first.time) }
        if let first = originMoments.min { next = min(next, first.time) }
        if let idleDeadline { next = min(next, idleDeadline) }
        if let graceEnds = shutdown?.graceEnds { next = min(next, graceEnds) }
        return next.nanoseconds == .max ? nil : next
    }

    /// Does what is due.
    package mutating func timePassed(to now: MonotonicTime) {
        // First of all, so that an origin whose pause is over has its turn when something else makes room.
        while let first = originMoments.min, first.time <= now {
            originMoments.removeMin()
            if isLive(first) { originMomentCame(first, at: now) }
        }
        while let first = queueDeadlines.min, first.time <= now {
            queueDeadlines.removeMin()
            if isLive(first) { timeOutInQueue(first.request, at: now) }
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

    // MARK: Slots

    /// Makes sure that the slot is looked at when a phase of one of its requests runs out, or its own.
    ///
    /// A slot has one live entry. A later deadline leaves the entry where it is: looked at too early, the slot is armed
    /// again. So a busy connection costs one entry each read timeout, not one for each request.
    mutating func arm(_ slot: SlotID) {
        if let deadline = ownDeadline(of: slot) { arm(slot, at: deadline) }
        var next = slots[slot].requests.first
        while let id = next {
            next = requestLinks.next(after: id)
            arm(slot, for: id)
        }
    }

    /// The same for one request of the slot, whose phase is a new one.
    mutating func arm(_ slot: SlotID, for id: RequestID) {
        if let deadline = deadline(of: id)?.time { arm(slot, at: deadline) }
    }

    mutating func arm(_ slot: SlotID, at deadline: MonotonicTime) {
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
        concludeSilence(of: slot, at: now)
        guard slots.contains(slot) else { return }
        if slots[slot].state == .idle {
            guard let deadline = idleDeadline(of: slot), deadline <= now else { return arm(slot) }
            let isOld = slots[slot].opened + rules.maxConnectionLifetime <= now
            close(slot, isOld ? .maxLifetime : .idleExpired, at: now)
            return
        } else if let trial = slots[slot].trial, trial <= now {
            tryAll(slot)
        }
        guard slots.contains(slot) else { return }
        var due: [(id: RequestID, number: UInt64, failure: RequestFailure)] = []
        var next = slots[slot].requests.first
        while let id = next {
            next = requestLinks.next(after: id)
            if let deadline = deadline(of: id), deadline.time <= now {
                due.append((id, requests[id].number, deadline.failure))
            }
        }
        // The one that opens the connection is the first of them and ends last: it would make the others move.
        for (id, number, failure) in due.reversed() where requests.contains(id) && requests[id].number == number {
            // The end of one can give another a connection, whose time then begins anew.
            guard let deadline = deadline(of: id), deadline.time <= now else { continue }
            noteTimeout(of: id, at: now)
            end(
                id,
                failure,
                acquireFailure: failure == .connectTimeout ? .connectFailed : .timeout,
                closeReason: .requestTimeout,
                connectFailure: .timeout,
                at: now
            )
        }
        if slots.contains(slot) { arm(slot) }
    }

    /// When the slot itself is to be looked at: as an idle connection that grows too old, as one that others are to try, or
    /// as one that has been silent.
    private func ownDeadline(of slot: SlotID) -> MonotonicTime? {
        let own = slots[slot].state == .idle ? idleDeadline(of: slot) : slots[slot].trial
        let silence = silenceDeadline(of: slot)
        guard let own, let silence else { return own ?? silence }
        return min(own, silence)
    }

    /// When an idle connection is too old, or idle for longer than its peer keeps it.
    private func idleDeadline(of slot: SlotID) -> MonotonicTime? {
        let lifetime = slots[slot].opened + rules.maxConnectionLifetime
        let deadline = min(lifetime, slots[slot].idleSince + slots[slot].idleLimit)
        return deadline.nanoseconds == .max ? nil : deadline
    }

    /// When the present phase of a request with a slot runs out, and what that means.
    private func deadline(of id: RequestID) -> (time: MonotonicTime, failure: RequestFailure)? {
        let phase: (time: MonotonicTime, failure: RequestFailure)
        switch (requests[id].state, requests[id].awaiting) {
        case (.queued, _): return nil
        case (.connecting, _):
            let placed = requests[id].placed ?? requests[id].acquisitionBegan
            phase = (placed + requests[id].timeouts.connect, .connectTimeout)
        case (.inFlight, .answer): phase = (requests[id].progress + requests[id].timeouts.read, .readTimeout)
        case (.inFlight, .peerTakes): phase = (requests[id].progress + requests[id].timeouts.write, .writeTimeout)
        case (.inFlight, .caller): phase = (MonotonicTime(nanoseconds: .max), .totalTimeout)
        }
        let total = requests[id].totalDeadline
        let first = total < phase.time ? (total, .totalTimeout) : phase
        return first.time.nanoseconds == .max ? nil : first
    }

    // MARK: Idle connections

    private var idleDeadline: MonotonicTime? {
        guard rules.keepaliveExpiry < .max, let slot = idleOrder.first else { return nil }
        return slots[slot].idleSince + rules.keepaliveExpiry
    }
}
