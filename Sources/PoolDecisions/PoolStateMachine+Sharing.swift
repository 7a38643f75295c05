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
    /// So long after a connection is ready, in nanoseconds, somebody tries whether it carries a second request, unless a
    /// response has shown it. The peer's limit of streams has come by then.
    private static let trialDelay: UInt64 = 100_000_000

    /// A new connection may turn out to carry several requests.
    mutating func expectMultiplexing(_ slot: SlotID) {
        slots[slot].capacity = Self.expectedStreams
        noteRoom(slot)
    }

    // MARK: Joining

    /// The connection that the request is to share: one that carries several requests, or, where none is idle, one that may
    /// turn out to.
    mutating func sharedSlot(for id: RequestID, at now: MonotonicTime) -> SlotID? {
        let origin = requests[id].origin
        while let last = rooms.last(of: origin) {
            let carriesSeveral = slots[last].isMultiplexed == true
            if !carriesSeveral, origins[origin].isMultiplexed == false { return nil }
            if !carriesSeveral, !idle.isEmpty(of: origin), !requests[id].isRetry { return nil }
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
        places.append(id, to: slot)
        requests[id].notePlaced(at: now)
        move(id, to: .connecting(slot))
        record.record(.connecting(waited: now - requests[id].acquisitionBegan), id, requests[id], at: now)
        noteRoom(slot)
        arm(slot, for: id)
        // Until the connection is ready, or those before it try, it waits with them.
        guard slots[slot].state == .active, slots[slot].trial == nil else { return }
        let trial = slots[slot].opened + Self.trialDelay
        if slots[slot].isMultiplexed == true || trial <= now {
            tryJoining(slot, id)
        } else {
            slots[slot].trial = trial
            slotAlarms.set(slot, noLaterThan: trial)
        }
    }

    /// The connection is ready, and as many of those that share it in expectation may try as another had room for.
    mutating func admitProven(_ slot: SlotID, at now: MonotonicTime) {
        guard places.count(of: slot) > 1 else { return }
        let origin = slots[slot].origin
        let proven = origins[origin].isMultiplexed == true ? origins[origin].provenStreams : 1
        tryJoining(slot, atMost: proven - 1)
        guard places.count(of: slot) > proven else { return }
        slots[slot].trial = now + Self.trialDelay
        arm(slot)
    }

    /// The connection's response, or its silence for a while, lets all its requests try.
    mutating func tryAll(_ slot: SlotID) {
        slots[slot].trial = nil
        tryJoining(slot, atMost: .max)
    }

    private mutating func tryJoining(_ slot: SlotID, atMost count: Int) {
        var left = count
        var next = places.first(of: slot)
        while let id = next, left > 0 {
            next = places.next(after: id)
            guard case .connecting = requests[id].state, !requests[id].isJoining else { continue }
            tryJoining(slot, id)
            left -= 1
        }
    }

    private mutating func tryJoining(_ slot: SlotID, _ id: RequestID) {
        requests[id].isJoining = true
        actions.append(.join(slot, id))
    }

    // MARK: What libcurl reports

    /// The first response on the slot's connection has begun, and shows by its version whether others may be on it.
    package mutating func responseBegan(
        _ slot: SlotID,
        isMultiplexed: Bool,
        at now: MonotonicTime
    ) -> PoolActions {
        guard slots.contains(slot), slots[slot].state == .active else { return actions.take() }
        noteResponse(on: slot)
        // A response is surer than a refusal was.
        if isMultiplexed || slots[slot].isMultiplexed == nil { learn(slot, isMultiplexed: isMultiplexed) }
        if slots[slot].isMultiplexed == true {
            tryAll(slot)
        } else {
            placeAgain(requestsThatMove(from: slot), at: now)
        }
        serve(at: now)
        return actions.take()
    }

    /// Whether a request that gets a stream of the slot's connection now shares it with others.
    package func isShared(_ slot: SlotID) -> Bool { slots[slot].streams > 0 }

    /// The request has a stream of the connection that it was to share.
    package mutating func joined(_ id: RequestID, at now: MonotonicTime) -> PoolActions {
        guard requests[id].isJoining, case .connecting(let slot) = requests[id].state else { return actions.take() }
        if slots[slot].isMultiplexed == nil { learn(slot, isMultiplexed: true) }
        requests[id].isJoining = false
        acquire(slot, for: id, isShared(slot) ? .multiplexed : .reused, at: now)
        let (origin, streams) = (slots[slot].origin, slots[slot].streams)
        origins[origin].provenStreams = max(origins[origin].provenStreams, streams)
        slots[slot].capacity = max(slots[slot].capacity, streams)
        serve(at: now)
        return actions.take()
    }

    /// The connection has no stream for the request, which goes back to its place in the queue, or to another connection.
    package mutating func joinRefused(_ id: RequestID, at now: MonotonicTime) -> PoolActions {
        giveUpJoining(id, at: now)
        return actions.take()
    }

    mutating func giveUpJoining(_ id: RequestID, at now: MonotonicTime) {
        guard requests[id].isJoining, case .connecting(let slot) = requests[id].state else { return }
        leave(slot, id)
        slots[slot].hasLostRequests = true
        if slots[slot].isMultiplexed == nil, slots[slot].streams > 0 { learn(slot, isMultiplexed: false) }
        slots[slot].capacity = slots[slot].streams
        noteRoom(slot)
        let others = slots[slot].isMultiplexed == false ? requestsThatMove(from: slot) : []
        if places.isEmpty(slot) {
            close(slot, slots[slot].retiring ?? .responseClose, at: now)
        } else if slots[slot].streams == 0 {
            tryAll(slot)
        }
        placeAgain([id] + others, at: now)
    }

    private mutating func learn(_ slot: SlotID, isMultiplexed: Bool) {
        let origin = slots[slot].origin
        // Its place among those with room is another from now on.
        rooms.remove(slot, of: origin)
        if slots[slot].isMultiplexed == false { slots[slot].capacity = Self.expectedStreams }
        slots[slot].isMultiplexed = isMultiplexed
        origins[origin].isMultiplexed = isMultiplexed
        if !isMultiplexed {
            slots[slot].capacity = 1
            slots[slot].trial = nil
        }
        noteRoom(slot)
        // Others that are being opened may be shared again.
        if isMultiplexed { offerRoom(of: origin) }
    }

    // MARK: Leaving

    /// Takes a request off its slot.
    mutating func leave(_ slot: SlotID, _ id: RequestID) {
        places.remove(id, from: slot)
        requests[id].isJoining = false
        if case .inFlight = requests[id].state { slots[slot].streams -= 1 }
        noteRoom(slot)
    }

    /// Takes those off the slot that only waited to share it.
    mutating func requestsThatMove(from slot: SlotID) -> [RequestID] {
        var moving: [RequestID] = []
        var next = places.first(of: slot)
        while let id = next {
            next = places.next(after: id)
            guard case .connecting = requests[id].state else { continue }
            if requests[id].isJoining { actions.append(.stop(slot, id)) }
            leave(slot, id)
            slots[slot].hasLostRequests = true
            moving.append(id)
        }
        return moving
    }

    /// A request has left the slot, whose connection is open: others are on it, or it is idle, or it is done with.
    mutating func settleOpen(_ slot: SlotID, at now: MonotonicTime) {
        if places.isEmpty(slot) {
            if let reason = slots[slot].retiring { close(slot, reason, at: now) } else { makeIdle(slot, at: now) }
        } else if slots[slot].streams == 0 {
            // Nobody is left whose response would decide for the others.
            tryAll(slot)
        }
    }

    /// The slot takes no further request.
    mutating func retire(_ slot: SlotID, _ reason: CloseReason) {
        slots[slot].retire(reason)
        noteRoom(slot)
    }

    /// Keeps the slot among those of its origin that have room, or takes it from there.
    mutating func noteRoom(_ slot: SlotID) {
        guard slots[slot].isMultiplexed != false || rooms.contains(slot) else { return }
        let origin = slots[slot].origin
        let hasRoom =
            slots[slot].isMultiplexed != false && slots[slot].state != .idle && slots[slot].retiring == nil
            && places.count(of: slot) < slots[slot].capacity
        if hasRoom { offerRoom(of: origin) }
        guard hasRoom != rooms.contains(slot) else { return }
        if hasRoom {
            rooms.add(slot, of: origin, isProven: slots[slot].isMultiplexed == true)
        } else {
            rooms.remove(slot, of: origin)
        }
    }
}
