import HTTPPool

/// What the transfers say: rules 7 and 9.
extension PoolStateMachine {
    /// The slot's connection is usable and the request is about to be sent. On a reused one this says nothing new.
    mutating func connectionReady(_ slot: SlotID, at now: MonotonicTime) {
        guard case .connecting(let id) = slots[slot].state else { return }
        record(.connectionOpened(originID(of: id), took: now - slots[slot].opening))
        slots[slot].state = .active(id)
        slots[slot].opened = now
        slots[slot].progress = now
        slots[slot].isUploading = requests[id].hasBody
        changeConnections(of: slots[slot].origin) {
            $0.connecting -= 1
            $0.active += 1
        }
        moveRequest(id, to: .inFlight(slot))
        acquired(id, .new, at: now)
        arm(slot)
    }

    /// Bytes moved on the slot. `isUploading`: the request's body is not sent to its end.
    mutating func progress(_ slot: SlotID, isUploading: Bool, at now: MonotonicTime) {
        slots[slot].progress = now
        slots[slot].isUploading = isUploading
    }

    /// The slot's transfer ended. The driver has taken it off libcurl before it says so.
    mutating func transferEnded(_ slot: SlotID, _ ending: TransferEnding, at now: MonotonicTime) -> TransferVerdict {
        switch (slots[slot].state, ending) {
        case (.connecting(let id), _):
            let reason = if case .broken(let reason) = ending { reason } else { ConnectFailure.other }
            let origin = originID(of: id)
            record(.connectFailed(origin, reason, took: now - slots[slot].opening))
            record(.acquireFailed(origin, .connectFailed, waited: now - requests[id].acquisitionBegan))
            vacate(slot)
            forget(id)
        case (.active(let id), .complete(let keepAlive)):
            endLease(id, at: now)
            forget(id)
            slots[slot].served += 1
            if keepAlive {
                release(slot, at: now)
                return .deliver
            }
            close(slot, .responseClose, at: now)
        case (.active(let id), .broken):
            endLease(id, at: now)
            forget(id)
            close(slot, .error, at: now)
        case (.active(let id), .stale(let sent, let reason)):
            endLease(id, at: now)
            close(slot, reason, at: now)
            if mayRetry(id, sent: sent) {
                retry(id, at: now)
                serve(at: now)
                return .retry
            }
            forget(id)
        case (.idle, _):
            preconditionFailure("an idle slot has no transfer that could end")
        }
        serve(at: now)
        return .deliver
    }

    /// An idle connection ended, or said something that nobody had asked for. It is never used again.
    mutating func idleConnectionSpoke(_ slot: SlotID, _ reason: CloseReason, at now: MonotonicTime) {
        guard slots.contains(slot), case .idle = slots[slot].state else { return }
        close(slot, reason, at: now)
        serve(at: now)
    }

    private func mayRetry(_ id: RequestID, sent: Bool) -> Bool {
        !requests[id].isRetry && (!sent || requests[id].isRepeatable) && shutdown == nil
    }

    private mutating func retry(_ id: RequestID, at now: MonotonicTime) {
        record(.staleRetry(originID(of: id)))
        requests[id].isRetry = true
        requests[id].acquisitionBegan = now
        moveRequest(id, to: .queued)
        if let limit = place(id, at: now) { enqueue(id, behind: limit, at: now) }
    }
}
