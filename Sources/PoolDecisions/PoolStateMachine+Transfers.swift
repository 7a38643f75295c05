package import HTTPPool

/// What happens to connections and transfers: rules 7 and 9.
extension PoolStateMachine {
    /// The slot's connection is usable and the request that opened it is about to be sent.
    package mutating func connectionReady(_ slot: SlotID, at now: MonotonicTime) -> PoolActions {
        guard slots[slot].state == .connecting, let id = places.first(of: slot) else { return actions.take() }
        record.record(
            .connectionOpened(took: now - slots[slot].opening),
            id,
            requests[id],
            connection: slots[slot].number,
            at: now
        )
        slots[slot].noteReady(at: now)
        moveConnection(of: slots[slot].origin, from: .connecting, to: .active)
        acquire(slot, for: id, .new, at: now)
        if slots[slot].isMultiplexed == nil { admitProven(slot, at: now) }
        return actions.take()
    }

    /// The peer has announced for how long it keeps the slot's connection without a request, in nanoseconds.
    package mutating func announced(keepAlive: UInt64, by slot: SlotID) { slots[slot].noteKeepAlive(keepAlive) }

    /// Bytes came on a connection that carries several requests.
    package mutating func received(on slot: SlotID, at now: MonotonicTime) {
        if slots.contains(slot) { slots[slot].noteReceived(at: now) }
    }

    /// Bytes of the request moved, and this is who is to move the next.
    package mutating func progress(_ id: RequestID, _ awaiting: Awaiting, at now: MonotonicTime) {
        let isSame = requests[id].awaiting == awaiting
        requests[id].noteProgress(at: now, awaiting)
        board.set(requests[id].phase, at: now, of: id)
        // The same timeout counts anew, which makes nothing due earlier.
        if !isSame { armPhase(of: id) }
    }

    /// The request is waiting for somebody else from now on, whose timeout may be due earlier.
    package mutating func awaits(_ id: RequestID, _ awaiting: Awaiting, at now: MonotonicTime) {
        requests[id].noteProgress(at: now, awaiting)
        board.set(requests[id].phase, at: now, of: id)
        armPhase(of: id)
    }

    /// The head of the final response arrived.
    package mutating func responded(_ id: RequestID, at now: MonotonicTime) {
        guard case .inFlight(let slot) = requests[id].state, !requests[id].hasHead else { return }
        requests[id].noteHead()
        board.set(requests[id].phase, at: now, of: id)
        let waited = now - requests[id].acquired
        record.record(.responded(waited: waited), id, requests[id], connection: slots[slot].number, at: now)
    }

    /// An idle connection ended, or its peer sent something that nobody had asked for. It is never used again.
    package mutating func idleConnectionEnded(
        _ slot: SlotID,
        _ reason: CloseReason,
        at now: MonotonicTime
    ) -> PoolActions {
        if slots.contains(slot), slots[slot].state == .idle {
            close(slot, reason, at: now)
            serve(at: now)
        }
        return actions.take()
    }

    /// The request's transfer ended. The driver has taken it off libcurl before.
    package mutating func transferEnded(
        _ id: RequestID,
        _ ending: TransferEnding,
        at now: MonotonicTime
    ) -> EndedTransfer {
        let verdict = endTransfer(of: id, ending, at: now)
        return EndedTransfer(verdict: verdict, actions: actions.take())
    }

    private mutating func endTransfer(
        of id: RequestID,
        _ ending: TransferEnding,
        at now: MonotonicTime
    ) -> TransferVerdict {
        switch requests[id].state {
        case .connecting(let slot) where isOpener(id, of: slot):
            return endOpening(slot, by: id, ending, at: now)
        case .connecting:
            // It was to share a connection, which broke before it had a stream.
            giveUpJoining(id, at: now)
            return .retry
        case .inFlight(let slot):
            return endExchange(of: id, on: slot, ending, at: now)
        case .queued:
            assertionFailure("a queued request has no transfer that could end")
            return .retry
        }
    }

    /// The connection never became usable.
    private mutating func endOpening(
        _ slot: SlotID,
        by id: RequestID,
        _ ending: TransferEnding,
        at now: MonotonicTime
    ) -> TransferVerdict {
        let reason = if case .broken(let reason, _, _) = ending { reason } else { ConnectFailure.other }
        noteConnectFailure(of: slot, for: id, reason, at: now)
        // Each attempt takes an idle connection, so there is an end to them.
        let goesOn = reason == .noDescriptor && shutdown == nil && takeIdleConnection(for: id, at: now)
        if !goesOn { noteAcquireFailure(of: id, .connectFailed, at: now) }
        leave(slot, id)
        if !goesOn { forget(id) }
        let others = requestsThatMove(from: slot)
        if goesOn { slots[slot].hasLostRequests = true }
        vacate(slot, at: now)
        placeAgain(goesOn ? others + [id] : others, at: now)
        if goesOn { return .retry }
        serve(at: now)
        return .deliver
    }

    private mutating func endExchange(
        of id: RequestID,
        on slot: SlotID,
        _ ending: TransferEnding,
        at now: MonotonicTime
    ) -> TransferVerdict {
        leave(slot, id)
        switch ending {
        case .complete(let status, let keepAlive):
            endLease(id, LeaseOutcome(status: status), at: now)
            forget(id)
            noteResponse(on: slot)
            slots[slot].noteServed()
            placeAgain(settle(slot, keepAlive: keepAlive, .responseClose, at: now), at: now)
        case .broken(_, let outcome, let keepAlive):
            endLease(id, outcome, at: now)
            forget(id)
            let mayStay = keepAlive && slots[slot].isMultiplexed == true
            placeAgain(settle(slot, keepAlive: mayStay, .error, at: now), at: now)
        case .stale(let sent, let reason):
            noteRefusal(on: slot, at: now)
            let isRefused = !slots[slot].hasResponded && refusals.areTooMany(of: slots[slot].origin)
            let goesOn = !isRefused && mayRetry(id, sent: sent, on: slot)
            endLease(id, goesOn ? .retried : .connectionLost, at: now)
            if goesOn { slots[slot].hasLostRequests = true }
            let others = settle(slot, keepAlive: false, reason, at: now)
            if goesOn {
                record.record(.staleRetry, id, requests[id], at: now)
                requests[id].noteRetry(at: now)
            } else {
                forget(id)
            }
            placeAgain(goesOn ? others + [id] : others, at: now)
            if goesOn { return .retry }
            if isRefused {
                serve(at: now)
                return .refuse
            }
        }
        serve(at: now)
        return .deliver
    }

    /// What becomes of a connection that a request has left.
    ///
    /// - Returns: those that were to share it and lost their place.
    private mutating func settle(
        _ slot: SlotID,
        keepAlive: Bool,
        _ reason: CloseReason,
        at now: MonotonicTime
    ) -> [RequestID] {
        if keepAlive {
            settleOpen(slot, at: now)
            return []
        }
        retire(slot, reason)
        let others = requestsThatMove(from: slot)
        if places.isEmpty(slot) { close(slot, slots[slot].retiring ?? reason, at: now) }
        return others
    }

    // MARK: Retries and refusals

    /// The most retries where several requests may share a connection: they may have taken, together, all that its peer lets
    /// it have, so a new connection can be dead as well.
    private static let mostSharedRetries = 5

    private func mayRetry(_ id: RequestID, sent: Bool, on slot: SlotID) -> Bool {
        requests[id].retries < (slots[slot].isMultiplexed == false ? 1 : Self.mostSharedRetries)
            && (!sent || requests[id].isRepeatable) && shutdown == nil
    }

    mutating func noteResponse(on slot: SlotID) {
        slots[slot].noteResponse()
        let origin = slots[slot].origin
        if refusals.noteResponse(of: origin) { rerank(origin) }
    }

    /// The peer refused a request, or ended the connection under it.
    private mutating func noteRefusal(on slot: SlotID, at now: MonotonicTime) {
        guard slots[slot].noteRefusal() else { return }
        let origin = slots[slot].origin
        if refusals.noteRefusal(on: slot, of: origin, at: now) { rerank(origin) }
    }
}
