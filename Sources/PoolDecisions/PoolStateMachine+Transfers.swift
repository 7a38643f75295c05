package import HTTPPool

/// What the transfers say: rules 7 and 9.
extension PoolStateMachine {
    /// The slot's connection is usable and the request that opened it is about to be sent.
    package mutating func connectionReady(_ slot: SlotID, at now: MonotonicTime) {
        guard slots[slot].state == .connecting, let id = slots[slot].requests.first else { return }
        record(.connectionOpened(originID(of: id), took: now - slots[slot].opening))
        slots[slot].state = .active
        slots[slot].opened = now
        slots[slot].lastReceived = now
        changeConnections(of: slots[slot].origin) {
            $0.connecting -= 1
            $0.active += 1
        }
        begin(id, on: slot, .new, at: now)
        if slots[slot].isMultiplexed == nil { admitProven(slot, at: now) }
    }

    /// The peer has announced for how long it keeps the slot's connection without a request, in nanoseconds.
    ///
    /// It is used for a little less: what is sent while the peer closes is lost.
    package mutating func announced(keepAlive: UInt64, by slot: SlotID) {
        slots[slot].idleLimit = keepAlive - min(keepAlive / 2, Self.keepAliveMargin)
    }

    private static let keepAliveMargin: UInt64 = 1_000_000_000

    /// Bytes of the request moved, and this is who is to move the next.
    package mutating func progress(_ id: RequestID, _ awaiting: Awaiting, at now: MonotonicTime) {
        // The same timeout counts anew, which makes nothing due earlier.
        if requests[id].awaiting == awaiting { requests[id].progress = now } else { awaits(id, awaiting, at: now) }
    }

    /// The request is waiting for somebody else from now on, whose timeout may be due earlier.
    package mutating func awaits(_ id: RequestID, _ awaiting: Awaiting, at now: MonotonicTime) {
        requests[id].progress = now
        requests[id].awaiting = awaiting
        if case .inFlight(let slot) = requests[id].state { arm(slot, for: id) }
    }

    /// The request's transfer ended. The driver has taken it off libcurl before it says so.
    package mutating func transferEnded(_ id: RequestID, _ ending: TransferEnding, at now: MonotonicTime)
        -> TransferVerdict
    {
        switch requests[id].state {
        case .connecting(let slot) where isOpener(id, of: slot):
            let reason = if case .broken(let reason, _) = ending { reason } else { ConnectFailure.other }
            record(.connectFailed(originID(of: id), reason, took: now - slots[slot].opening))
            // Each attempt takes an idle connection, so there is an end to them.
            let goesOn = reason == .noDescriptor && shutdown == nil && takeIdleConnection(for: id, at: now)
            if !goesOn {
                record(.acquireFailed(originID(of: id), .connectFailed, waited: now - requests[id].acquisitionBegan))
            }
            leave(slot, id)
            if !goesOn { forget(id) }
            let others = requestsThatMove(from: slot)
            if goesOn { slots[slot].hasLostRequests = true }
            vacate(slot, at: now)
            placeAgain(goesOn ? others + [id] : others, at: now)
            if goesOn { return .retry }
        case .connecting:
            // It was to share a connection, which broke before it had a stream.
            joinRefused(id, at: now)
            return .retry
        case .inFlight(let slot):
            endLease(id, at: now)
            leave(slot, id)
            switch ending {
            case .complete(let keepAlive):
                forget(id)
                answered(slot)
                slots[slot].served += 1
                placeAgain(settle(slot, keepAlive: keepAlive, .responseClose, at: now), at: now)
            case .broken(_, let keepAlive):
                forget(id)
                let mayStay = keepAlive && slots[slot].isMultiplexed == true
                placeAgain(settle(slot, keepAlive: mayStay, .error, at: now), at: now)
            case .stale(let sent, let reason):
                noteRefusal(on: slot, at: now)
                let isRefused = !slots[slot].hasAnswered && origins[slots[slot].origin].refusals.areTooMany
                let goesOn = !isRefused && mayRetry(id, sent: sent, on: slot)
                if goesOn { slots[slot].hasLostRequests = true }
                let others = settle(slot, keepAlive: false, reason, at: now)
                if goesOn { beginAgain(id, at: now) } else { forget(id) }
                placeAgain(goesOn ? others + [id] : others, at: now)
                if goesOn { return .retry }
                if isRefused {
                    serve(at: now)
                    return .refuse
                }
            }
        case .queued:
            assertionFailure("a queued request has no transfer that could end")
            return .retry
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
            released(slot, at: now)
            return []
        }
        retire(slot, reason)
        let others = requestsThatMove(from: slot)
        if slots[slot].requests.isEmpty { close(slot, slots[slot].retiring ?? reason, at: now) }
        return others
    }

    /// An idle connection ended, or said something that nobody had asked for. It is never used again.
    package mutating func idleConnectionSpoke(_ slot: SlotID, _ reason: CloseReason, at now: MonotonicTime) {
        guard slots.contains(slot), slots[slot].state == .idle else { return }
        close(slot, reason, at: now)
        serve(at: now)
    }

    /// A new connection is not dead, so once is enough. But one that carries several may have taken, with those who share
    /// it, all that its peer lets it.
    private func mayRetry(_ id: RequestID, sent: Bool, on slot: SlotID) -> Bool {
        requests[id].retries < (slots[slot].isMultiplexed == false ? 1 : Self.mostSharedRetries)
            && (!sent || requests[id].isRepeatable) && shutdown == nil
    }

    private static let mostSharedRetries = 5

    private mutating func beginAgain(_ id: RequestID, at now: MonotonicTime) {
        record(.staleRetry(originID(of: id)))
        requests[id].retries += 1
        requests[id].acquisitionBegan = now
        requests[id].placed = nil
    }
}
