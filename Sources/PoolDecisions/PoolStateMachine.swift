package import HTTPPool
import HeapModule

/// Decides for the pool: who gets which connection, what is closed, who has waited too long.
///
/// A value without clock, lock and socket. Its methods take what happened and when; they note in ``actions`` what the
/// driver is to do and in ``turn`` what the observer is told. The rules:
///
/// 1. `maxConnections` bounds connecting, active and idle connections together, `maxConnectionsPerOrigin` those of one.
/// 2. `maxIdleConnections` bounds the idle ones; a surplus one is closed at once, the longest idle first.
/// 3. An idle connection is closed when it has been idle for the keep-alive expiry, by a timer.
/// 4. A request takes the most recently used idle connection of its origin; else a new one if the limits allow; else a
///    new one in place of the longest idle connection of another origin; else it queues.
/// 5. Within an origin the queue is first come, first served. A connection that becomes free goes to the waiting origin
///    that holds the fewest (connecting and active, retiring ones too, counted after the release). Among equals that hold
///    none, to the one that has gone longest without: since it was last given a connection, or since its oldest waiter was
///    submitted, whichever is later. Among equals that hold some, the origin whose connection it was keeps it if it is one
///    of them; else it goes to the one longest without. Origins at their own limit take no part, and a stream that
///    becomes free stays with its origin. A request that is sent again, or lost its place through no fault of its own,
///    takes the slot that its connection leaves before any waiter. So an origin that holds none is given a connection
///    within as many releases as there are waiting origins. Where the order is `fifo`, a connection goes to the request
///    that was submitted first, over all origins.
/// 6. The acquire timeout counts once, from submission.
/// 7. A connection becomes idle only after a complete exchange.
/// 8. A request can be cancelled at any moment.
/// 9. A request that met a dead reused connection is sent once more, on a new one, if that is safe.
/// 10. After a shutdown began nothing new is taken, and what runs has a period of grace.
/// 11. Limits can change while it runs.
/// 12. A connection that carries several requests, and on which one timed out with nothing received on the connection
///     meanwhile, takes no further request, and closes with its last one.
/// 13. When two connections in a row to an origin have refused requests and brought no response, requests that are refused
///     fail, and the origin's next connection is opened alone and after a pause: 50 ms, doubling to 1 s, until a response.
///
/// Where HTTP/2 is spoken, rule 4 begins with a connection of the origin that has room for another request, and a request
/// shares a connection that is being opened rather than open another. A request that waits takes such room at once, whoever
/// waits for a connection: it takes nothing from them.
package struct PoolStateMachine {
    /// To be done by the driver, in this order; the driver takes it after each input.
    var actions: [PoolAction] = []
    /// To be told to the observer; ``finishTurn(at:)`` completes it.
    var turn = PoolTurn(now: MonotonicTime(nanoseconds: 0))

    var rules: PoolRules
    var requests = Slab<Request>()
    var slots = Slab<Slot>()
    var origins = Slab<OriginState>()
    var originIndices: [Origin: Int] = [:]
    /// The origin that was looked up last, where it is still there.
    var latestOrigin: (origin: Origin, index: Int)?
    var sites: [SiteState] = []
    var touchedOrigins: [Int] = []
    var touchedSites: [CallSite] = []

    /// Links of the queues, one queue for each origin.
    var queueLinks = IndexLinks()
    /// All idle slots, the longest idle first.
    var idleOrder = IndexList()
    var idleOrderLinks = IndexLinks()
    /// Idle slots of one origin, the most recently used last.
    var idleOfOriginLinks = IndexLinks()
    /// Slots of one origin that have room for another request.
    var roomyLinks = IndexLinks()
    /// Requests on one slot.
    var requestLinks = IndexLinks()
    /// The queued requests that never had a place, in the order of their submission, for the age of the oldest.
    var queueOrder = IndexList()
    var queueOrderLinks = IndexLinks()
    /// The queued requests that had a place and lost it, by their submission.
    var returned = Heap<QueueMoment>()
    var returnedCount = 0
    /// Origins whose waiting requests a connection would help, in the order in which they are served; with entries that
    /// are outdated.
    var line = Heap<Rank>()
    /// How many origins are in it.
    var rankedCount = 0
    /// The last moment of the pool's own count.
    var moments: UInt64 = 0
    /// Origins whose connections became free in this input, one entry for each.
    var freed: [Int] = []
    /// Origins that lost a connection in this input on which requests had lost their place, one entry for each.
    var claims: [Int] = []
    /// Origins with waiting requests and a connection that got room for another.
    var offering: [Int] = []

    var queueDeadlines = Heap<QueueMoment>()
    var slotDeadlines = Heap<SlotDeadline>()
    var originMoments = Heap<OriginMoment>()
    var shutdown: Shutdown?

    /// Whether the turn is to tell of other look-ups than the last one did.
    private var hasNewResolving = false

    package init(rules: PoolRules) { self.rules = rules }

    /// So many names are being looked up for the pool from now on.
    package mutating func setResolving(_ count: Int) {
        guard turn.resolving != count else { return }
        turn.resolving = count
        hasNewResolving = true
    }

    /// Takes a request. It is placed, queued or refused at once; the actions say which.
    package mutating func submit(_ new: NewRequest, at now: MonotonicTime) -> RequestID {
        let origin = index(of: new.origin)
        let id = requests.insert(Request(new, origin: origin, moment: nextMoment()))
        turn.takenThrough = max(turn.takenThrough, new.number)
        changeLevels(of: id) { $0.queued += 1 }
        if shutdown != nil {
            failAcquisition(id, .shutdown, .shutdown, at: now)
        } else if requests[id].totalDeadline <= now {
            // No connection is opened for a request that is over before it has begun.
            failAcquisition(id, .timeout, .totalTimeout, at: now)
        } else if !origins[origin].queue.isEmpty {
            enqueue(id, behind: obstacle(to: origin), at: now)
        } else if let obstacle = place(id, at: now) {
            enqueue(id, behind: obstacle, at: now)
        }
        return id
    }

    /// The caller gave up, wherever the request is.
    package mutating func cancel(_ id: RequestID, at now: MonotonicTime) {
        end(
            id,
            .cancelled,
            acquireFailure: .cancelled,
            closeReason: .requestCancelled,
            connectFailure: .cancelled,
            at: now
        )
        serve(at: now)
    }

    /// Whoever reads the response found that it is invalid.
    package mutating func refuseResponse(_ id: RequestID, at now: MonotonicTime) {
        end(
            id,
            .cancelled,
            acquireFailure: .cancelled,
            closeReason: .error,
            connectFailure: .cancelled,
            at: now
        )
        serve(at: now)
    }

    /// The body that the caller was to provide broke.
    package mutating func bodyFailed(_ id: RequestID, at now: MonotonicTime) {
        end(
            id,
            .bodyFailed,
            acquireFailure: .cancelled,
            closeReason: .requestCancelled,
            connectFailure: .cancelled,
            at: now
        )
        serve(at: now)
    }

    /// Ends a request from outside: takes it out of the queue, or aborts its transfer.
    mutating func end(
        _ id: RequestID,
        _ failure: RequestFailure,
        acquireFailure: AcquireFailure,
        closeReason: CloseReason,
        connectFailure: ConnectFailure,
        at now: MonotonicTime
    ) {
        switch requests[id].state {
        case .queued:
            removeFromQueue(id)
            failAcquisition(id, acquireFailure, failure, at: now)
        case .connecting(let slot) where isOpener(id, of: slot):
            record(.connectFailed(originID(of: id), connectFailure, took: now - slots[slot].opening))
            leave(slot, id)
            let others = requestsThatMove(from: slot)
            vacate(slot, at: now)
            failAcquisition(id, acquireFailure, failure, at: now)
            placeAgain(others, at: now)
        case .connecting(let slot):
            actions.append(.stop(slot, id))
            leave(slot, id)
            failAcquisition(id, acquireFailure, failure, at: now)
            if slots[slot].state == .active { released(slot, at: now) }
        case .inFlight(let slot):
            endLease(id, at: now)
            leave(slot, id)
            if slots[slot].isMultiplexed == true {
                // A stream ends, and the connection goes on.
                actions.append(.stop(slot, id))
                released(slot, at: now)
            } else {
                let others = requestsThatMove(from: slot)
                close(slot, closeReason, at: now)
                placeAgain(others, at: now)
            }
            actions.append(.fail(id, failure))
            forget(id)
        }
    }

    /// Whether the slot's connection is being opened for this request.
    func isOpener(_ id: RequestID, of slot: SlotID) -> Bool {
        slots[slot].state == .connecting && slots[slot].requests.first == id
    }

    /// Whether that is so, of a slot that may be free by now.
    package func isOpening(_ slot: SlotID, for id: RequestID) -> Bool { slots.contains(slot) && isOpener(id, of: slot) }

    /// Gives what is to be done to the driver, in exchange for an array that is done with.
    ///
    /// - Returns: whether there is anything.
    package mutating func handOver(_ done: inout [PoolAction]) -> Bool {
        guard !actions.isEmpty else { return false }
        done.removeAll(keepingCapacity: true)
        swap(&done, &actions)
        return true
    }

    /// Tells the observer of the turn, if there is anything to tell, and begins the next.
    package mutating func endTurn(at now: MonotonicTime, telling observer: (any PoolObserver)?) {
        guard !turn.events.isEmpty || !touchedOrigins.isEmpty || turn.hasConfiguration || hasNewResolving else {
            return
        }
        finishTurn(at: now)
        observer?.poolDidTurn(turn)
        beginTurn()
    }

    /// Completes ``turn`` with the levels of everything that was touched. ``beginTurn()`` follows.
    mutating func finishTurn(at now: MonotonicTime) {
        turn.now = now
        for index in touchedOrigins {
            turn.origins.append((OriginID(index: Int32(index)), origins[index].levels))
        }
        for site in touchedSites {
            turn.sites.append((site, sites[Int(site.index)].levels))
        }
        turn.oldestQueued = oldestQueued()
        hasNewResolving = false
    }

    /// Empties the turn and lets go of origins that have neither connections nor requests.
    mutating func beginTurn() {
        turn.reset()
        for site in touchedSites { sites[Int(site.index)].isTouched = false }
        touchedSites.removeAll(keepingCapacity: true)
        for index in touchedOrigins {
            origins[index].isTouched = false
            if origins[index].isUnused {
                originIndices[origins[index].origin] = nil
                latestOrigin = nil
                origins.remove(at: index)
            }
        }
        touchedOrigins.removeAll(keepingCapacity: true)
    }
}
