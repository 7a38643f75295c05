import HTTPPool

/// Who gets which connection: rules 1, 2 and 4.
extension PoolStateMachine {
    /// Gives the request a connection if there is one to give.
    ///
    /// - Returns: what is in the way, or `nil` when the request has its slot.
    mutating func place(_ id: RequestID, at now: MonotonicTime) -> Obstacle? {
        let origin = requests[id].origin
        if let slot = shared(by: id, at: now) {
            join(slot, id, at: now)
            return nil
        }
        let idle = origins[origin].idle.last
        if let idle, !requests[id].isRetry {
            reuse(idle, for: id, at: now)
            return nil
        }
        guard mayOpen(origin) else { return .refusals }
        // A request that met a dead connection wants a new one: an idle one beside it may be as dead.
        if let idle, !hasRoom(for: origin) { close(idle, .evicted, at: now) }
        guard origins[origin].levels.connections.total < rules.maxConnectionsPerOrigin else {
            return .limit(.connectionsPerOrigin)
        }
        if connectionCount >= rules.maxConnections, let longestIdle = idleOrder.first {
            close(longestIdle, .evicted, at: now)
        }
        guard connectionCount < rules.maxConnections else { return .limit(.connections) }
        open(for: id, at: now)
        return nil
    }

    /// What keeps the origin from another connection, given that something does.
    func obstacle(to origin: Int) -> Obstacle {
        if !mayOpen(origin) { return .refusals }
        let isCapped = origins[origin].levels.connections.total >= rules.maxConnectionsPerOrigin
        return .limit(isCapped ? .connectionsPerOrigin : .connections)
    }

    private func hasRoom(for origin: Int) -> Bool {
        connectionCount < rules.maxConnections
            && origins[origin].levels.connections.total < rules.maxConnectionsPerOrigin
    }

    private mutating func open(for id: RequestID, at now: MonotonicTime) {
        let origin = requests[id].origin
        let slot = slots.insert(Slot(origin: origin, opening: now))
        slots[slot].isMultiplexed = origins[origin].isMultiplexed == false ? false : nil
        requestLinks.append(id, to: &slots[slot].requests)
        noteTrial(slot)
        noteGiven(to: origin)
        changeConnections(of: origin) { $0.connecting += 1 }
        noteSlot(of: id, at: now)
        moveRequest(id, to: .connecting(slot))
        if slots[slot].isMultiplexed == nil { expectMultiplexing(slot) }
        arm(slot)
        actions.append(.open(slot, id))
    }

    private mutating func reuse(_ slot: SlotID, for id: RequestID, at now: MonotonicTime) {
        removeFromIdle(slot)
        slots[slot].state = .active
        requestLinks.append(id, to: &slots[slot].requests)
        noteGiven(to: slots[slot].origin)
        changeConnections(of: slots[slot].origin) {
            $0.idle -= 1
            $0.active += 1
        }
        noteSlot(of: id, at: now)
        begin(id, on: slot, .reused, at: now)
        noteRoom(slot)
        actions.append(.reuse(slot, id))
    }

    /// Whatever connection was free is not any more.
    private mutating func noteGiven(to origin: Int) {
        origins[origin].lastGiven = nextMoment()
        _ = freed.popLast()
    }

    /// The request has a slot. One that lost another without waiting had it all the time.
    mutating func noteSlot(of id: RequestID, at now: MonotonicTime) {
        if requests[id].placed == nil { requests[id].placed = now }
    }

    /// The request has the connection, or a stream of it, from now on.
    mutating func begin(_ id: RequestID, on slot: SlotID, _ kind: AcquireKind, at now: MonotonicTime) {
        slots[slot].streams += 1
        moveRequest(id, to: .inFlight(slot))
        acquired(id, kind, at: now)
        requests[id].progress = now
        requests[id].awaiting = requests[id].hasBody ? .peerTakes : .answer
        arm(slot, for: id)
    }

    mutating func acquired(_ id: RequestID, _ kind: AcquireKind, at now: MonotonicTime) {
        let request = requests[id]
        requests[id].acquired = now
        record(
            .acquired(
                originID(of: id),
                kind,
                waited: now - request.acquisitionBegan,
                queued: (request.placed ?? now) - request.acquisitionBegan
            )
        )
    }

    // MARK: Idle connections

    /// The slot has no request any more: its connection is idle, for the next in the queue or to be kept.
    mutating func release(_ slot: SlotID, at now: MonotonicTime) {
        let origin = slots[slot].origin
        if now - slots[slot].opened >= rules.maxConnectionLifetime {
            close(slot, .maxLifetime, at: now)
            return
        }
        if isBeyondLimits(origin) {
            close(slot, .idleSurplus, at: now)
            return
        }
        slots[slot].state = .idle
        slots[slot].idleSince = now
        slots[slot].trial = nil
        // It is free for anybody now.
        slots[slot].hasLostRequests = false
        removeFromRoomy(slot)
        changeConnections(of: origin) {
            $0.active -= 1
            $0.idle += 1
        }
        idleOrderLinks.append(slot, to: &idleOrder)
        idleOfOriginLinks.append(slot, to: &origins[origin].idle)
        if queuedCount > 0 { freed.append(origin) }
        rerank(origin)
        serve(at: now)
        trimIdle(at: now)
        if slots.contains(slot), slots[slot].state == .idle { arm(slot) }
    }

    /// After a limit was lowered there may be more connections than it allows.
    private func isBeyondLimits(_ origin: Int) -> Bool {
        connectionCount > rules.maxConnections
            || origins[origin].levels.connections.total > rules.maxConnectionsPerOrigin
    }

    /// Closes idle connections that may not be kept.
    mutating func trimIdle(at now: MonotonicTime) {
        if shutdown != nil { closeIdle(.shutdown, downTo: 0, at: now) }
        if rules.keepaliveExpiry == 0 { closeIdle(.idleExpired, downTo: 0, at: now) }
        closeIdle(.idleSurplus, downTo: rules.maxIdleConnections, at: now)
    }

    private mutating func closeIdle(_ reason: CloseReason, downTo count: Int, at now: MonotonicTime) {
        while idleOrder.count > count, let slot = idleOrder.first { close(slot, reason, at: now) }
    }

    /// Finds an idle connection for a request that there was no descriptor for: one of its origin, which it takes when it
    /// is placed again, or else the longest idle of all, which is closed for its descriptor.
    ///
    /// - Returns: whether there was one.
    mutating func takeIdleConnection(for id: RequestID, at now: MonotonicTime) -> Bool {
        if !requests[id].isRetry, !origins[requests[id].origin].idle.isEmpty { return true }
        guard let slot = idleOrder.first else { return false }
        close(slot, .evicted, at: now)
        return true
    }

    private mutating func removeFromIdle(_ slot: SlotID) {
        idleOrderLinks.remove(slot, from: &idleOrder)
        idleOfOriginLinks.remove(slot, from: &origins[slots[slot].origin].idle)
    }

    // MARK: Closing

    /// Closes a connection that was usable.
    mutating func close(_ slot: SlotID, _ reason: CloseReason, at now: MonotonicTime) {
        let closing = slots[slot]
        record(
            .connectionClosed(
                OriginID(index: Int32(closing.origin)),
                reason,
                lifetime: now - closing.opened,
                requests: closing.served
            )
        )
        vacate(slot, at: now)
    }

    /// Frees the slot.
    mutating func vacate(_ slot: SlotID, at now: MonotonicTime) {
        let closing = slots[slot]
        assert(closing.requests.isEmpty, "requests are still on the slot")
        if closing.state == .idle { removeFromIdle(slot) }
        removeFromRoomy(slot)
        endTrial(slot, at: now)
        // An idle one is in nobody's way: it makes room for one whose turn it is, or nobody waits.
        if closing.state != .idle {
            freed.append(closing.origin)
            if closing.hasLostRequests { claims.append(closing.origin) }
        }
        changeConnections(of: closing.origin) { levels in
            switch closing.state {
            case .connecting: levels.connecting -= 1
            case .active: levels.active -= 1
            case .idle: levels.idle -= 1
            }
        }
        slots.remove(at: slot)
        actions.append(.close(slot))
    }
}
