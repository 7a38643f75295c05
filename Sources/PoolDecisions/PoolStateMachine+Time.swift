package import HTTPPool

/// What happens because time passed: rules 3, 6 and 12, and the timeouts of each phase.
extension PoolStateMachine {
    /// The next moment at which ``timePassed(to:)`` has something to do; `nil` without one.
    package mutating func nextDeadline() -> MonotonicTime? {
        var next = min(waiting.firstDeadline(), slotAlarms.first(), refusals.firstDeadline())
        if let expiry = idleExpiry { next = min(next, expiry) }
        if let shutdown { next = min(next, shutdown.graceEnds) }
        return next == .never ? nil : next
    }

    /// Does what is due.
    package mutating func timePassed(to now: MonotonicTime) -> PoolActions {
        doWhatIsDue(at: now)
        return actions.take()
    }

    mutating func doWhatIsDue(at now: MonotonicTime) {
        // First of all, so that an origin whose pause is over has its turn when something else makes room.
        while let origin = refusals.takeDue(at: now) { endRefusalPeriod(of: origin, at: now) }
        while let id = waiting.takeOverdue(at: now) { timeOutInQueue(id, at: now) }
        while let slot = slotAlarms.takeDue(at: now) { checkDeadlines(of: slot, at: now) }
        while let expiry = idleExpiry, expiry <= now, let slot = idle.longestIdle {
            close(slot, .idleExpired, at: now)
        }
        if let shutdown, shutdown.graceEnds <= now { endGrace(at: now) }
        serve(at: now)
    }

    private mutating func endRefusalPeriod(of origin: Int, at now: MonotonicTime) {
        switch refusals.periodEnded(of: origin, isUnused: record.isEmpty(origin), at: now) {
        case .pauseEnded: rerank(origin)
        // The origin can go with this turn.
        case .forgotten: record.touch(origin)
        case .nothing: break
        }
    }

    /// When the connection that has been idle for the longest has been so for the keep-alive expiry.
    private var idleExpiry: MonotonicTime? {
        guard rules.keepaliveExpiry < .max, let slot = idle.longestIdle else { return nil }
        return slots[slot].idleSince + rules.keepaliveExpiry
    }

    // MARK: Slots

    /// Makes sure that the slot is looked at when a phase of one of its requests runs out, or something of its own.
    ///
    /// A later deadline leaves the alarm where it is: looked at too early, the slot is armed again. So a busy connection
    /// costs one alarm each read timeout, not one for each request.
    mutating func arm(_ slot: SlotID) {
        if let deadline = ownDeadline(of: slot) { slotAlarms.set(slot, noLaterThan: deadline) }
        var next = places.first(of: slot)
        while let id = next {
            next = places.next(after: id)
            arm(slot, for: id)
        }
    }

    /// The same for one request of the slot, whose phase is a new one.
    mutating func arm(_ slot: SlotID, for id: RequestID) {
        if let deadline = requests[id].phaseDeadline?.time { slotAlarms.set(slot, noLaterThan: deadline) }
    }

    /// The same for a request that may be on no slot.
    mutating func armPhase(of id: RequestID) {
        if case .inFlight(let slot) = requests[id].state { arm(slot, for: id) }
    }

    private mutating func checkDeadlines(of slot: SlotID, at now: MonotonicTime) {
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
        endOverdue(on: slot, at: now)
        if slots.contains(slot) { arm(slot) }
    }

    private mutating func endOverdue(on slot: SlotID, at now: MonotonicTime) {
        var due: [(id: RequestID, number: UInt64, failure: RequestFailure)] = []
        var next = places.first(of: slot)
        while let id = next {
            next = places.next(after: id)
            if let deadline = requests[id].phaseDeadline, deadline.time <= now {
                due.append((id, requests[id].number, deadline.failure))
            }
        }
        // The one that opens the connection is the first of them and ends last: it would make the others move.
        for (id, number, failure) in due.reversed() where requests.contains(id) && requests[id].number == number {
            // The end of one can give another a connection, whose time then begins anew.
            guard let deadline = requests[id].phaseDeadline, deadline.time <= now else { continue }
            noteTimeout(of: id, at: now)
            abort(id, .timeout(failure), at: now)
        }
    }

    /// When the slot itself is to be looked at: as an idle connection that grows too old, as one that others are to try, or
    /// as one that has been silent.
    private func ownDeadline(of slot: SlotID) -> MonotonicTime? {
        let own = slots[slot].state == .idle ? idleDeadline(of: slot) : slots[slot].trial
        let silence = silenceDeadline(of: slot)
        guard let own, let silence else { return own ?? silence }
        return min(own, silence)
    }

    private func idleDeadline(of slot: SlotID) -> MonotonicTime? {
        let deadline = slots[slot].idleDeadline(maxLifetime: rules.maxConnectionLifetime)
        return deadline == .never ? nil : deadline
    }

    // MARK: Silence

    /// The request has waited for its peer for too long, and is about to end.
    private mutating func noteTimeout(of id: RequestID, at now: MonotonicTime) {
        guard case .inFlight(let slot) = requests[id].state, requests[id].awaiting != .caller,
            slots[slot].isMultiplexed == true, slots[slot].silence.lastReceived <= requests[id].progress
        else { return }
        slots[slot].noteSilentTimeout()
        concludeSilence(of: slot, at: now)
    }

    /// When a connection on which a request timed out has been silent for long enough; `nil` if it is not silent, or takes no
    /// further request anyway.
    private func silenceDeadline(of slot: SlotID) -> MonotonicTime? {
        guard let deadline = slots[slot].silence.deadline,
            slots[slot].retiring == nil || slots[slot].retiring == .idleSurplus
        else { return nil }
        return deadline
    }

    /// A connection that has been silent for long enough takes no further request, and closes with its last one.
    private mutating func concludeSilence(of slot: SlotID, at now: MonotonicTime) {
        guard let deadline = silenceDeadline(of: slot) else { return }
        if deadline > now {
            slotAlarms.set(slot, noLaterThan: deadline)
        } else if slots[slot].state == .idle {
            close(slot, .unresponsive, at: now)
        } else {
            retire(slot, .unresponsive)
        }
    }
}
