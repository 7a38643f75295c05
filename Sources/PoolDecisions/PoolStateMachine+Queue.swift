import HTTPPool
import HeapModule

/// Who waits: rules 5 and 6.
///
/// Each origin has a queue of its own, in the order of submission. Two things let one who waits go on: room on a
/// connection of the origin, which is nobody else's business, and a connection that may be opened, which goes to the
/// origin whose turn it is.
extension PoolStateMachine {
    // MARK: Into the queue

    /// Lets a new request wait behind all others of its origin, or refuses it where it may not.
    mutating func enqueue(_ id: RequestID, behind obstacle: Obstacle, at now: MonotonicTime) {
        let origin = requests[id].origin
        requests[id].isInQueue = true
        queueLinks.append(id, to: &origins[origin].queue)
        queueOrderLinks.append(id, to: &queueOrder)
        stay(id, behind: obstacle, at: now)
        rerank(origin)
    }

    /// Finds another place for requests of one origin that lost theirs, before all that were submitted later. Their
    /// acquisition goes on.
    mutating func placeAgain(_ ids: [RequestID], at now: MonotonicTime) {
        guard let any = ids.first else { return }
        // The latest first, so that each goes in front of those before it.
        let ids = ids.sorted { requests[$0].number > requests[$1].number }
        for id in ids { putBack(id) }
        offerRoom(requests[any].origin)
        rerank(requests[any].origin)
        serve(at: now)
        for id in ids where requests[id].isInQueue {
            requests[id].placed = nil
            stay(id, behind: obstacle(to: requests[id].origin), at: now)
        }
        // One that may not wait makes way for those behind it.
        serve(at: now)
    }

    /// Before it are only others that were put back, for whoever has a place was submitted before all who never had one.
    private mutating func putBack(_ id: RequestID) {
        moveRequest(id, to: .queued)
        requests[id].isInQueue = true
        requests[id].isReturned = true
        let (number, origin) = (requests[id].number, requests[id].origin)
        queueLinks.insert(id, into: &origins[origin].queue) { requests[$0].number > number }
        returnedCount += 1
        returned.insert(QueueMoment(time: requests[id].submitted, request: id, number: number))
        if returned.count > 2 * returnedCount + 64 { returned = Heap(returned.unordered.filter(isLive)) }
    }

    /// The request is in the queue and has to wait, if it may.
    private mutating func stay(_ id: RequestID, behind obstacle: Obstacle, at now: MonotonicTime) {
        if requests[id].acquireDeadline <= now || requests[id].totalDeadline <= now {
            timeOutInQueue(id, at: now)
        } else if shutdown?.policy.queued == .fail {
            removeFromQueue(id)
            failAcquisition(id, .shutdown, .shutdown, at: now)
        } else if queuedCount > rules.maxQueuedRequests {
            removeFromQueue(id)
            failAcquisition(id, .rejected, .queueFull, at: now)
        } else {
            if case .limit(let limit) = obstacle { record(.queued(originID(of: id), behind: limit)) }
            armQueueDeadline(of: id)
        }
    }

    // MARK: Out of the queue

    mutating func removeFromQueue(_ id: RequestID) {
        guard requests[id].isInQueue else { return }
        requests[id].isInQueue = false
        queueLinks.remove(id, from: &origins[requests[id].origin].queue)
        if requests[id].isReturned {
            requests[id].isReturned = false
            returnedCount -= 1
            // Those behind it may share what it did not want.
            offerRoom(requests[id].origin)
        } else {
            queueOrderLinks.remove(id, from: &queueOrder)
        }
        rerank(requests[id].origin)
    }

    mutating func timeOutInQueue(_ id: RequestID, at now: MonotonicTime) {
        let isTotal = requests[id].totalDeadline < requests[id].acquireDeadline
        let obstacle = obstacle(to: requests[id].origin)
        removeFromQueue(id)
        failAcquisition(
            id,
            .timeout,
            isTotal ? .totalTimeout : .acquireTimeout(behind: obstacle.limit, otherWaiters: queuedCount),
            at: now
        )
    }

    // MARK: Room

    /// A connection of the origin has room for another request.
    mutating func offerRoom(_ origin: Int) {
        guard !origins[origin].isOffering, !origins[origin].queue.isEmpty else { return }
        origins[origin].isOffering = true
        offering.append(origin)
    }

    mutating func fillRoom(of origin: Int, at now: MonotonicTime) {
        while let first = origins[origin].queue.first, let slot = shared(by: first, at: now) {
            join(slot, first, at: now)
            removeFromQueue(first)
        }
    }

    // MARK: Time in the queue

    private mutating func armQueueDeadline(of id: RequestID) {
        let request = requests[id]
        let time = min(request.acquireDeadline, request.totalDeadline)
        guard time.nanoseconds < .max else { return }
        queueDeadlines.insert(QueueMoment(time: time, request: id, number: request.number))
        // Requests that were served leave their entries behind until these are due; a long queue that moves fast
        // would pile them up. Clearing when they are the greater part costs each entry a constant.
        if queueDeadlines.count > 2 * queuedCount + 64 {
            queueDeadlines = Heap(queueDeadlines.unordered.filter(isLive))
        }
    }

    /// Whether the entry still means a request that waits.
    func isLive(_ moment: QueueMoment) -> Bool {
        guard requests.contains(moment.request) else { return false }
        let request = requests[moment.request]
        return request.number == moment.number && request.isInQueue
    }

    /// When the request that was submitted first of all that wait was submitted.
    mutating func oldestQueued() -> MonotonicTime? {
        while let first = returned.min, !isLive(first) { returned.removeMin() }
        let oldest = queueOrder.first.map { requests[$0].submitted }
        guard let first = returned.min else { return oldest }
        return min(first.time, oldest ?? first.time)
    }
}
