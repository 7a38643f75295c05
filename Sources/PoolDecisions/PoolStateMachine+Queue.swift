import HTTPPool

/// Who waits, and who is served next: rules 5 and 6.
///
/// Two things let a request that waits go on: room on a shared connection of its origin, which is nobody else's business,
/// and a connection that may be opened or is idle, which goes to the origin whose turn it is.
extension PoolStateMachine {
    // MARK: Into the queue

    /// Lets a new request wait behind all others of its origin, or refuses it where it may not.
    mutating func enqueue(_ id: RequestID, behind obstacle: Obstacle, at now: MonotonicTime) {
        let request = requests[id]
        waiting.append(id, of: request.origin, number: request.number, submitted: request.submitted)
        stay(id, behind: obstacle, at: now)
        rerank(request.origin)
    }

    /// Finds another place for requests of one origin that lost theirs, before all that were submitted later. Their
    /// acquisition goes on.
    mutating func placeAgain(_ ids: [RequestID], at now: MonotonicTime) {
        guard let any = ids.first else { return }
        let origin = requests[any].origin
        // The latest first, so that each goes in front of those before it.
        let ids = ids.sorted { requests[$0].number > requests[$1].number }
        for id in ids {
            move(id, to: .queued)
            waiting.putBack(id, of: origin, number: requests[id].number, submitted: requests[id].submitted)
        }
        offerRoom(of: origin)
        rerank(origin)
        serve(at: now)
        for id in ids where waiting.contains(id) {
            requests[id].noteWaiting()
            stay(id, behind: obstacle(to: origin), at: now)
        }
        // One that may not wait makes way for those behind it.
        serve(at: now)
    }

    /// The request is in the queue and has to wait, if it may.
    private mutating func stay(_ id: RequestID, behind obstacle: Obstacle, at now: MonotonicTime) {
        let deadline = min(requests[id].acquireDeadline, requests[id].totalDeadline)
        if deadline <= now {
            timeOutInQueue(id, at: now)
        } else if shutdown?.policy.queued == .fail {
            removeFromQueue(id)
            failAcquisition(id, .shutdown, .shutdown, at: now)
        } else if waiting.count > rules.maxQueuedRequests {
            removeFromQueue(id)
            failAcquisition(id, .rejected, .queueFull, at: now)
        } else {
            let waited = now - requests[id].acquisitionBegan
            record.record(.queued(behind: obstacle.limit, waited: waited), id, requests[id], at: now)
            waiting.setDeadline(of: id, at: deadline)
        }
    }

    // MARK: Out of the queue

    /// Removes the request from the queue if it is there.
    mutating func removeFromQueue(_ id: RequestID) {
        guard waiting.contains(id) else { return }
        let origin = requests[id].origin
        let hadReturned = waiting.hasReturned(id)
        waiting.remove(id, of: origin)
        // Those behind it may share what it did not want.
        if hadReturned { offerRoom(of: origin) }
        rerank(origin)
    }

    mutating func timeOutInQueue(_ id: RequestID, at now: MonotonicTime) {
        let isTotal = requests[id].totalDeadline < requests[id].acquireDeadline
        let obstacle = obstacle(to: requests[id].origin)
        removeFromQueue(id)
        failAcquisition(
            id,
            .timeout,
            isTotal ? .totalTimeout : .acquireTimeout(behind: obstacle.limit, otherWaiters: waiting.count),
            at: now
        )
    }

    // MARK: The order of origins

    /// Puts the origin where it belongs among those that wait for a connection, or takes it from there.
    mutating func rerank(_ origin: Int) {
        if waiting.isEmpty(of: origin), servingOrder.rank(of: origin) == nil, !ownLimits.contains(origin) { return }
        servingOrder.setRank(rank(of: origin), of: origin)
        let isKept = !waiting.isEmpty(of: origin) && idle.isEmpty(of: origin) && isAtOwnLimit(origin)
        ownLimits.set(isKept, origin)
    }

    /// `nil` where nobody of the origin waits, or where another connection would not help: at the origin's own limit, and
    /// while its peer refuses everything.
    private func rank(of origin: Int) -> ServingOrder.Rank? {
        guard let first = waiting.first(of: origin) else { return nil }
        if idle.isEmpty(of: origin) {
            guard !isAtOwnLimit(origin), refusals.mayOpen(origin) else { return nil }
        }
        let submitted = requests[first].count
        switch rules.queueOrder {
        case .fifo: return ServingOrder.Rank(held: 0, since: submitted, origin: origin)
        case .fair:
            let since = max(submitted, servingOrder.lastGiven(to: origin))
            return ServingOrder.Rank(held: record.connections(of: origin).held, since: since, origin: origin)
        }
    }

    // MARK: Serving

    /// Serves those who wait, as far as vacancies and limits go.
    mutating func serve(at now: MonotonicTime) {
        while true {
            if let origin = vacancies.takeOffer() {
                fillRoom(of: origin, at: now)
            } else if let origin = vacancies.takeClaim() {
                takeLeftSlot(origin, at: now)
            } else if !serveNext(at: now), vacancies.isTakenUp {
                break
            }
        }
        vacancies.forgetFreed()
    }

    /// - Returns: whether it is worth while to look for another.
    private mutating func serveNext(at now: MonotonicTime) -> Bool {
        guard let origin = nextOrigin(), let first = waiting.first(of: origin) else { return false }
        let rank = servingOrder.rank(of: origin)
        switch place(first, at: now) {
        case nil: removeFromQueue(first)
        case .limit(.connections): return false
        case .limit(.connectionsPerOrigin), .limit(.streams), .refusals:
            // It waits for something else, and is in nobody's way.
            if servingOrder.rank(of: origin) == rank { servingOrder.setRank(nil, of: origin) }
        }
        return true
    }

    private mutating func nextOrigin() -> Int? {
        guard let first = servingOrder.first() else { return nil }
        // Among equals that hold some it stays where it is, which saves a cold connection.
        if first.held > 0, let origin = vacancies.latestFreed, origins.contains(origin),
            servingOrder.rank(of: origin)?.held == first.held
        {
            return origin
        }
        return first.origin
    }

    /// A connection of the origin is gone, and requests lost their place on it: its slot is theirs, before all who wait.
    private mutating func takeLeftSlot(_ origin: Int, at now: MonotonicTime) {
        // They are in front of those who never had a place.
        guard rules.queueOrder == .fair, origins.contains(origin), let first = waiting.first(of: origin),
            waiting.hasReturned(first), place(first, at: now) == nil
        else { return }
        removeFromQueue(first)
    }

    // MARK: Room on shared connections

    /// A connection of the origin may have room for a request that waits.
    mutating func offerRoom(of origin: Int) {
        if !waiting.isEmpty(of: origin) { vacancies.offer(to: origin) }
    }

    private mutating func fillRoom(of origin: Int, at now: MonotonicTime) {
        while let first = waiting.first(of: origin), let slot = sharedSlot(for: first, at: now) {
            join(slot, first, at: now)
            removeFromQueue(first)
        }
    }
}
