import HTTPPool

/// Who gets which connection: rules 1, 2 and 4.
extension PoolStateMachine {
    /// What keeps a request from a connection.
    enum Obstacle: Equatable {
        case limit(PoolLimit)
        /// The peer refuses everything, and no other connection is tried at present.
        case refusals

        var limit: PoolLimit? { if case .limit(let limit) = self { limit } else { nil } }
    }

    /// Gives the request a connection if there is one to give.
    ///
    /// - Returns: what is in the way; `nil` when the request has its slot.
    mutating func place(_ id: RequestID, at now: MonotonicTime) -> Obstacle? {
        let origin = requests[id].origin
        if let slot = sharedSlot(for: id, at: now) {
            join(slot, id, at: now)
            return nil
        }
        let idleSlot = idle.latestUsed(of: origin)
        if let idleSlot, !requests[id].isRetry {
            reuse(idleSlot, for: id, at: now)
            return nil
        }
        guard refusals.mayOpen(origin) else { return .refusals }
        // A request that met a dead connection wants a new one: an idle one beside it may be as dead.
        if let idleSlot, connectionCount >= rules.maxConnections || isAtOwnLimit(origin) {
            close(idleSlot, .evicted, at: now)
        }
        guard !isAtOwnLimit(origin) else { return .limit(.connectionsPerOrigin) }
        if connectionCount >= rules.maxConnections, let longestIdle = idle.longestIdle {
            close(longestIdle, .evicted, at: now)
        }
        guard connectionCount < rules.maxConnections else { return .limit(.connections) }
        open(for: id, at: now)
        return nil
    }

    /// What keeps the origin from another connection, given that something does.
    func obstacle(to origin: Int) -> Obstacle {
        if !refusals.mayOpen(origin) { return .refusals }
        return .limit(isAtOwnLimit(origin) ? .connectionsPerOrigin : .connections)
    }

    func isAtOwnLimit(_ origin: Int) -> Bool {
        record.connections(of: origin).total >= rules.maxConnectionsPerOrigin
    }

    private mutating func open(for id: RequestID, at now: MonotonicTime) {
        let origin = requests[id].origin
        let isMultiplexed: Bool? = origins[origin].isMultiplexed == false ? false : nil
        lastConnection += 1
        let slot = slots.insert(
            Slot(origin: origin, number: lastConnection, opening: now, isMultiplexed: isMultiplexed)
        )
        places.append(id, to: slot)
        refusals.noteOpening(slot, of: origin)
        noteGiven(to: origin)
        moveConnection(of: origin, from: nil, to: .connecting)
        requests[id].notePlaced(at: now)
        move(id, to: .connecting(slot))
        record.record(.connecting(waited: now - requests[id].acquisitionBegan), id, requests[id], at: now)
        if isMultiplexed == nil { expectMultiplexing(slot) }
        arm(slot)
        actions.append(.open(slot, id))
    }

    private mutating func reuse(_ slot: SlotID, for id: RequestID, at now: MonotonicTime) {
        let origin = slots[slot].origin
        idle.remove(slot, of: origin)
        slots[slot].state = .active
        places.append(id, to: slot)
        noteGiven(to: origin)
        moveConnection(of: origin, from: .idle, to: .active)
        requests[id].notePlaced(at: now)
        acquire(slot, for: id, .reused, at: now)
        noteRoom(slot)
        actions.append(.reuse(slot, id))
    }

    private mutating func noteGiven(to origin: Int) {
        servingOrder.noteGiven(to: origin)
        vacancies.takeFreed()
    }

    /// The request holds the connection, or a stream of it, from now on.
    mutating func acquire(_ slot: SlotID, for id: RequestID, _ kind: AcquireKind, at now: MonotonicTime) {
        slots[slot].streams += 1
        move(id, to: .inFlight(slot))
        record.record(
            .acquired(
                kind,
                waited: now - requests[id].acquisitionBegan,
                queued: requests[id].queuedTime(at: now)
            ),
            id,
            requests[id],
            connection: slots[slot].number,
            at: now
        )
        requests[id].noteAcquired(at: now)
        board.set(requests[id].phase, at: now, of: id)
        arm(slot, for: id)
    }

    mutating func moveConnection(of origin: Int, from old: Slot.State?, to new: Slot.State?) {
        record.connectionMoved(of: origin, from: old, to: new)
        rerank(origin)
    }

    // MARK: Idle connections

    /// No request is on the slot any more: its connection is idle, for the next in the queue or to be kept.
    mutating func makeIdle(_ slot: SlotID, at now: MonotonicTime) {
        let origin = slots[slot].origin
        if now - slots[slot].opened >= rules.maxConnectionLifetime {
            close(slot, .maxLifetime, at: now)
            return
        }
        if isBeyondLimits(origin) {
            close(slot, .idleSurplus, at: now)
            return
        }
        slots[slot].noteIdle(at: now)
        rooms.remove(slot, of: origin)
        record.connectionMoved(of: origin, from: .active, to: .idle)
        idle.append(slot, of: origin)
        if waiting.count > 0 { vacancies.free(origin) }
        rerank(origin)
        serve(at: now)
        trimIdle(at: now)
        if slots.contains(slot), slots[slot].state == .idle { arm(slot) }
    }

    /// After a limit was lowered there may be more connections than it allows.
    private func isBeyondLimits(_ origin: Int) -> Bool {
        connectionCount > rules.maxConnections
            || record.connections(of: origin).total > rules.maxConnectionsPerOrigin
    }

    /// Closes idle connections that may not be kept.
    mutating func trimIdle(at now: MonotonicTime) {
        if shutdown != nil { closeIdle(.shutdown, downTo: 0, at: now) }
        if rules.keepaliveExpiry == 0 { closeIdle(.idleExpired, downTo: 0, at: now) }
        closeIdle(.idleSurplus, downTo: rules.maxIdleConnections, at: now)
    }

    private mutating func closeIdle(_ reason: CloseReason, downTo count: Int, at now: MonotonicTime) {
        while idle.count > count, let slot = idle.longestIdle { close(slot, reason, at: now) }
    }

    /// Finds an idle connection for a request that there was no descriptor for: one of its origin, which it takes when it
    /// is placed again, or else the longest idle of all, which is closed for its descriptor.
    ///
    /// - Returns: whether there was one.
    mutating func takeIdleConnection(for id: RequestID, at now: MonotonicTime) -> Bool {
        if !requests[id].isRetry, !idle.isEmpty(of: requests[id].origin) { return true }
        guard let slot = idle.longestIdle else { return false }
        close(slot, .evicted, at: now)
        return true
    }

    // MARK: Closing

    /// Closes a connection that was usable.
    mutating func close(_ slot: SlotID, _ reason: CloseReason, at now: MonotonicTime) {
        let lifetime = now - slots[slot].opened
        record.record(
            .connectionClosed(reason, lifetime: lifetime, requests: slots[slot].served),
            of: slots[slot].origin,
            connection: slots[slot].number,
            at: now
        )
        vacate(slot, at: now)
    }

    /// The connection never became usable for the request that opened it.
    mutating func noteConnectFailure(
        of slot: SlotID,
        for id: RequestID,
        _ reason: ConnectFailure,
        at now: MonotonicTime
    ) {
        record.record(
            .connectFailed(reason, took: now - slots[slot].opening),
            id,
            requests[id],
            connection: slots[slot].number,
            at: now
        )
    }

    /// Frees the slot, on which no request is any more.
    mutating func vacate(_ slot: SlotID, at now: MonotonicTime) {
        assert(places.isEmpty(slot), "requests are still on the slot")
        let (origin, state) = (slots[slot].origin, slots[slot].state)
        if state == .idle { idle.remove(slot, of: origin) }
        rooms.remove(slot, of: origin)
        if refusals.noteEnd(of: slot, of: origin, at: now) { rerank(origin) }
        // An idle one is in nobody's way: it makes room for one whose turn it is, or nobody waits.
        if state != .idle {
            vacancies.free(origin)
            if slots[slot].hasLostRequests { vacancies.claim(for: origin) }
        }
        moveConnection(of: origin, from: state, to: nil)
        slotAlarms.cancel(slot)
        slots.remove(at: slot)
        actions.append(.close(slot))
    }
}
