package import HTTPPool

/// Connections whose peer is gone without a word: rule 12.
///
/// A stream that times out may have met a slow handler or a dead path. What tells them apart is whether anything has come
/// on the connection meanwhile, for whichever stream.
extension PoolStateMachine {
    /// So long a connection has to be silent at least: one slow response with a short timeout of its own is no sign of a
    /// dead peer. (OkHttp gives a peer the same second after a stream timed out.)
    private static let leastSilence: UInt64 = 1_000_000_000

    /// Bytes came on a connection that carries several requests.
    package mutating func received(on slot: SlotID, at now: MonotonicTime) {
        guard slots.contains(slot) else { return }
        slots[slot].lastReceived = now
    }

    /// The request has waited for its peer for too long, and is about to end.
    mutating func noteTimeout(of id: RequestID, at now: MonotonicTime) {
        guard case .inFlight(let slot) = requests[id].state, requests[id].awaiting != .caller,
            slots[slot].isMultiplexed == true, slots[slot].lastReceived <= requests[id].progress
        else { return }
        slots[slot].silentSince = slots[slot].lastReceived
        concludeSilence(of: slot, at: now)
    }

    /// When a connection on which a request timed out has been silent for long enough; `nil` where it is not silent.
    func silenceDeadline(of slot: SlotID) -> MonotonicTime? {
        // One that takes no further request anyway is not looked at again.
        guard let since = slots[slot].silentSince, since == slots[slot].lastReceived,
            slots[slot].retiring == nil || slots[slot].retiring == .idleSurplus
        else { return nil }
        return since + Self.leastSilence
    }

    /// A connection that has been silent for long enough takes no further request, and closes with its last one.
    mutating func concludeSilence(of slot: SlotID, at now: MonotonicTime) {
        guard let deadline = silenceDeadline(of: slot) else { return }
        if deadline > now {
            arm(slot, at: deadline)
        } else if slots[slot].state == .idle {
            close(slot, .unresponsive, at: now)
        } else {
            retire(slot, .unresponsive)
        }
    }
}
