package import HTTPPool

/// Requests come, and go before their time: inputs of the callers.
extension PoolStateMachine {
    /// Takes a request. It is placed, queued or refused at once; the actions say which.
    package mutating func submit(_ new: NewRequest, at now: MonotonicTime) -> Submission {
        let origin = number(of: new.origin)
        let id = requests.insert(Request(new, origin: origin, count: servingOrder.nextCount()))
        // It may have been submitted after the time of the turn was taken.
        record.take(new.number, of: origin, new.site, submittedAt: min(new.submitted, now))
        if shutdown != nil {
            failAcquisition(id, .shutdown, .shutdown, at: now)
        } else if requests[id].totalDeadline <= now {
            // No connection is opened for a request that is over before it has begun.
            failAcquisition(id, .timeout, .totalTimeout, at: now)
        } else if !waiting.isEmpty(of: origin) {
            enqueue(id, behind: obstacle(to: origin), at: now)
        } else if let obstacle = place(id, at: now) {
            enqueue(id, behind: obstacle, at: now)
        }
        return Submission(id: id, actions: actions.take())
    }

    /// The caller ends the request, wherever it is.
    package mutating func end(_ id: RequestID, _ cause: EndCause, at now: MonotonicTime) -> PoolActions {
        abort(id, cause, at: now)
        serve(at: now)
        return actions.take()
    }

    /// The number of the origin, which is introduced if it is new.
    private mutating func number(of origin: Origin) -> Int {
        if let number = origins.number(of: origin) { return number }
        let number = origins.add(origin, mayMultiplex: rules.mayMultiplex && origin.isSecure)
        servingOrder.add(number)
        record.add(number, origin)
        return number
    }

    // MARK: The end of a request

    /// Takes a request out of the queue, or aborts its transfer.
    mutating func abort(_ id: RequestID, _ cause: EndCause, at now: MonotonicTime) {
        switch requests[id].state {
        case .queued:
            removeFromQueue(id)
            failAcquisition(id, cause.acquireFailure, cause.failure, at: now)
        case .connecting(let slot) where isOpener(id, of: slot):
            noteConnectFailure(of: slot, for: id, cause.connectFailure, at: now)
            leave(slot, id)
            let others = requestsThatMove(from: slot)
            vacate(slot, at: now)
            failAcquisition(id, cause.acquireFailure, cause.failure, at: now)
            placeAgain(others, at: now)
        case .connecting(let slot):
            actions.append(.stop(slot, id))
            leave(slot, id)
            failAcquisition(id, cause.acquireFailure, cause.failure, at: now)
            if slots[slot].state == .active { settleOpen(slot, at: now) }
        case .inFlight(let slot):
            endLease(id, cause.outcome, at: now)
            leave(slot, id)
            if slots[slot].isMultiplexed == true {
                // A stream ends, and the connection goes on.
                actions.append(.stop(slot, id))
                settleOpen(slot, at: now)
            } else {
                let others = requestsThatMove(from: slot)
                close(slot, cause.closeReason, at: now)
                placeAgain(others, at: now)
            }
            actions.append(.fail(id, cause.failure))
            forget(id)
        }
    }

    /// Ends the acquisition of a request that has no connection, and the request with it.
    mutating func failAcquisition(
        _ id: RequestID,
        _ reason: AcquireFailure,
        _ failure: RequestFailure,
        at now: MonotonicTime
    ) {
        noteAcquireFailure(of: id, reason, at: now)
        actions.append(.fail(id, failure))
        forget(id)
    }

    mutating func noteAcquireFailure(of id: RequestID, _ reason: AcquireFailure, at now: MonotonicTime) {
        let waited = now - requests[id].acquisitionBegan
        // A request that was refused, or failed at once, did not wait.
        let queued = reason == .rejected ? 0 : requests[id].queuedTime(at: now)
        record.record(.acquireFailed(reason, waited: waited, queued: queued), id, requests[id], at: now)
    }

    mutating func endLease(_ id: RequestID, _ outcome: LeaseOutcome, at now: MonotonicTime) {
        let held = now - requests[id].acquired
        let connection = requests[id].slot.map { slots[$0].number } ?? 0
        record.record(.leaseEnded(outcome, held: held), id, requests[id], connection: connection, at: now)
    }

    /// The request is finished; its number is free.
    mutating func forget(_ id: RequestID) {
        record.requestMoved(of: requests[id].origin, requests[id].site, from: requests[id].state, to: nil)
        requests.remove(at: id)
    }

    mutating func move(_ id: RequestID, to state: Request.State) {
        let old = requests[id].move(to: state)
        record.requestMoved(of: requests[id].origin, requests[id].site, from: old, to: state)
    }

    /// Whether the slot's connection is being opened for this request.
    func isOpener(_ id: RequestID, of slot: SlotID) -> Bool {
        slots[slot].state == .connecting && places.first(of: slot) == id
    }
}
