package import HTTPPool

/// Several requests on one connection (HTTP/2).
///
/// Whether a connection carries several, and how many, is found out by trying: libcurl is given another request for the
/// connection, and either it has a stream at once or libcurl lets it wait. So the limit that the peer has set is the
/// limit that holds, and nobody has to ask for it. Until then requests of the origin share the connection that is being
/// opened, in expectation, rather than open a herd of them.
extension PoolStateMachine {
    /// As many requests may share a connection that is being opened.
    private static let expectedStreams = 100
    /// So long after a connection is ready somebody tries whether it carries a second request, if no answer has told. The
    /// peer's limit of streams has come by then.
    private static let trialDelay: UInt64 = 100_000_000

    /// A new connection may turn out to carry several requests.
    mutating func expectMultiplexing(_ slot: SlotID) {
        slots[slot].capacity = Self.expectedStreams
        noteRoom(slot)
    }

    /// The connection that the request is to share: one that carries several requests, or, where none is idle, one that may
    /// turn out to.
    mutating func shared(by id: RequestID, at now: MonotonicTime) -> SlotID? {
        let origin = requests[id].origin
        while let last = origins[origin].roomy.last {
            let carriesSeveral = slots[last].isMultiplexed == true
            if !carriesSeveral, origins[origin].isMultiplexed == false { return nil }
            if !carriesSeveral, !origins[origin].idle.isEmpty, !requests[id].isRetry { return nil }
            if slots[last].state == .active, now - slots[last].opened >= rules.maxConnectionLifetime {
                retire(last, .maxLifetime)
                continue
            }
            // One that met a dead connection may share only a newer one.
            return !requests[id].isRetry || slots[last].opening >= requests[id].acquisitionBegan ? last : nil
        }
        return nil
    }

    /// Gives the request a place on a connection that others are on.
    mutating func join(_ slot: SlotID, _ id: RequestID, at now: MonotonicTime) {
        requestLinks.append(id, to: &slots[slot].requests)
        noteSlot(of: id, at: now)
        moveRequest(id, to: .connecting(slot))
        noteRoom(slot)
        arm(slot, for: id)
        // Until the connection is ready, or those before it try, it waits with them.
        guard slots[slot].state == .active, slots[slot].trial == nil else { return }
        let trial = slots[slot].opened + Self.trialDelay
        if slots[slot].isMultiplexed == true || trial <= now {
            tryJoining(slot, id)
        } else {
            slots[slot].trial = trial
            arm(slot, at: trial)
        }
    }

    /// The connection is ready, and as many of those that share it in expectation may try as another had room for.
    mutating func admitProven(_ slot: SlotID, at now: MonotonicTime) {
        guard slots[slot].requests.count > 1 else { return }
        let origin = slots[slot].origin
        let proven = origins[origin].isMultiplexed == true ? origins[origin].provenStreams : 1
        tryJoining(slot, atMost: proven - 1)
        guard slots[slot].requests.count > proven else { return }
        slots[slot].trial = now + Self.trialDelay
        arm(slot)
    }

    /// The connection has said by its answer, or by nothing for a while, that its requests may try.
    mutating func tryAll(_ slot: SlotID) {
        slots[slot].trial = nil
        tryJoining(slot, atMost: .max)
    }

    private mutating func tryJoining(_ slot: SlotID, atMost count: Int) {
        var left = count
        var next = slots[slot].requests.first
        while let id = next, left > 0 {
            next = requestLinks.next(after: id)
            guard case .connecting = requests[id].state, !requests[id].isJoining else { continue }
            tryJoining(slot, id)
            left -= 1
        }
    }

    private mutating func tryJoining(_ slot: SlotID, _ id: RequestID) {
        requests[id].isJoining = true
        actions.append(.join(slot, id))
    }

    /// The answer on the slot's connection has begun, and says by its version whether others may be on it.
    package mutating func answerBegan(_ slot: SlotID, isMultiplexed: Bool, at now: MonotonicTime) {
        guard slots.contains(slot), slots[slot].state == .active else { return }
        answered(slot)
        // An answer is surer than a refusal was.
        if isMultiplexed || slots[slot].isMultiplexed == nil { learn(slot, isMultiplexed: isMultiplexed) }
        if slots[slot].isMultiplexed == true {
            tryAll(slot)
        } else {
            placeAgain(requestsThatMove(from: slot), at: now)
        }
        serve(at: now)
    }

    /// The request has a stream of the connection that it was to share.
    package mutating func joined(_ id: RequestID, at now: MonotonicTime) {
        guard requests[id].isJoining, case .connecting(let slot) = requests[id].state else { return }
        if slots[slot].isMultiplexed == nil { learn(slot, isMultiplexed: true) }
        requests[id].isJoining = false
        begin(id, on: slot, slots[slot].streams > 0 ? .multiplexed : .reused, at: now)
        let origin = slots[slot].origin
        origins[origin].provenStreams = max(origins[origin].provenStreams, slots[slot].streams)
        slots[slot].capacity = max(slots[slot].capacity, slots[slot].streams)
        serve(at: now)
    }

    /// The connection has no stream for the request, which goes back to its place in the queue, or to another connection.
    package mutating func joinRefused(_ id: RequestID, at now: MonotonicTime) {
        guard requests[id].isJoining, case .connecting(let slot) = requests[id].state else { return }
        leave(slot, id)
        slots[slot].hasLostRequests = true
        if slots[slot].isMultiplexed == nil, slots[slot].streams > 0 { learn(slot, isMultiplexed: false) }
        slots[slot].capacity = slots[slot].streams
        noteRoom(slot)
        let others = slots[slot].isMultiplexed == false ? requestsThatMove(from: slot) : []
        if slots[slot].requests.isEmpty {
            close(slot, slots[slot].retiring ?? .responseClose, at: now)
        } else if slots[slot].streams == 0 {
            tryAll(slot)
        }
        placeAgain([id] + others, at: now)
    }

    private mutating func learn(_ slot: SlotID, isMultiplexed: Bool) {
        // Its place among those with room is another from now on.
        removeFromRoomy(slot)
        if slots[slot].isMultiplexed == false { slots[slot].capacity = Self.expectedStreams }
        slots[slot].isMultiplexed = isMultiplexed
        origins[slots[slot].origin].isMultiplexed = isMultiplexed
        if !isMultiplexed {
            slots[slot].capacity = 1
            slots[slot].trial = nil
        }
        noteRoom(slot)
        // Others that are being opened may be shared again.
        if isMultiplexed { offerRoom(slots[slot].origin) }
    }

    /// Takes those off the slot that only waited to share it.
    mutating func requestsThatMove(from slot: SlotID) -> [RequestID] {
        var moving: [RequestID] = []
        var next = slots[slot].requests.first
        while let id = next {
            next = requestLinks.next(after: id)
            guard case .connecting = requests[id].state else { continue }
            if requests[id].isJoining { actions.append(.stop(slot, id)) }
            leave(slot, id)
            slots[slot].hasLostRequests = true
            moving.append(id)
        }
        return moving
    }

    /// Takes a request off its slot.
    mutating func leave(_ slot: SlotID, _ id: RequestID) {
        requestLinks.remove(id, from: &slots[slot].requests)
        requests[id].isJoining = false
        if case .inFlight = requests[id].state { slots[slot].streams -= 1 }
        noteRoom(slot)
    }

    /// The slot takes no further request. One that was only beyond a limit cannot be taken back any more for another reason.
    mutating func retire(_ slot: SlotID, _ reason: CloseReason) {
        if slots[slot].retiring == nil || slots[slot].retiring == .idleSurplus { slots[slot].retiring = reason }
        noteRoom(slot)
    }

    /// A request has left the slot, whose connection is open: others are on it, or it is idle, or it is done with.
    mutating func released(_ slot: SlotID, at now: MonotonicTime) {
        if slots[slot].requests.isEmpty {
            if let reason = slots[slot].retiring { close(slot, reason, at: now) } else { release(slot, at: now) }
        } else if slots[slot].streams == 0 {
            // Nobody is left whose answer would tell the others.
            tryAll(slot)
        }
    }

    // MARK: Room

    /// Keeps the slot among those of its origin that have room, or takes it from there.
    mutating func noteRoom(_ slot: SlotID) {
        guard slots[slot].isMultiplexed != false || slots[slot].isRoomy else { return }
        let (state, origin) = (slots[slot].state, slots[slot].origin)
        let isRoomy =
            slots[slot].isMultiplexed != false && state != .idle && slots[slot].retiring == nil
            && slots[slot].requests.count < slots[slot].capacity
        if isRoomy { offerRoom(origin) }
        guard isRoomy != slots[slot].isRoomy else { return }
        guard isRoomy else {
            removeFromRoomy(slot)
            return
        }
        slots[slot].isRoomy = true
        if slots[slot].isMultiplexed == true {
            roomyLinks.append(slot, to: &origins[origin].roomy)
        } else {
            roomyLinks.insert(slot, into: &origins[origin].roomy) { _ in true }
        }
    }

    mutating func removeFromRoomy(_ slot: SlotID) {
        guard slots[slot].isRoomy else { return }
        slots[slot].isRoomy = false
        roomyLinks.remove(slot, from: &origins[slots[slot].origin].roomy)
    }
}
