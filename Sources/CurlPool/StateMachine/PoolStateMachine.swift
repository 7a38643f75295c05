import HTTPPool
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
/// 5. The queue is first come, first served, but an origin at its own limit holds nobody else up.
/// 6. The acquire timeout counts once, from submission.
/// 7. A connection becomes idle only after a complete exchange.
/// 8. A request can be cancelled at any moment.
/// 9. A request that met a dead reused connection is sent once more, on a new one, if that is safe.
/// 10. After a shutdown began nothing new is taken, and what runs has a period of grace.
struct PoolStateMachine {
    /// To be done by the driver, in this order; the driver takes it after each input.
    var actions: [PoolAction] = []
    /// To be told to the observer; ``finishTurn(at:)`` completes it.
    private(set) var turn = PoolTurn(now: MonotonicTime(nanoseconds: 0))

    var rules: PoolRules
    var requests = Slab<Request>()
    var slots = Slab<Slot>()
    var origins = Slab<OriginState>()
    private var originIndices: [Origin: Int] = [:]
    /// The origin that was looked up last, where it is still there.
    private var latestOrigin: (origin: Origin, index: Int)?
    private var sites: [SiteState] = []
    private var touchedOrigins: [Int] = []
    private var touchedSites: [CallSite] = []

    /// Links of the queues, one queue for each origin.
    var queueLinks = IndexLinks()
    /// All idle slots, the longest idle first.
    var idleOrder = IndexList()
    var idleOrderLinks = IndexLinks()
    /// Idle slots of one origin, the most recently used last.
    var idleOfOriginLinks = IndexLinks()
    /// All queued requests in the order of their submission, for the age of the oldest.
    var queueOrder = IndexList()
    var queueOrderLinks = IndexLinks()
    /// Origins with waiting requests that are not held up by the origin's own limit, by their first request's number.
    var eligible = Heap<Eligible>()

    var queueDeadlines = Heap<QueueDeadline>()
    var slotDeadlines = Heap<SlotDeadline>()
    var shutdown: Shutdown?

    init(rules: PoolRules) { self.rules = rules }

    /// Takes a request. It is placed, queued or refused at once; the actions say which.
    mutating func submit(_ new: NewRequest, at now: MonotonicTime) -> RequestID {
        let origin = index(of: new.origin)
        let id = requests.insert(Request(new, origin: origin))
        turn.takenThrough = max(turn.takenThrough, new.number)
        changeLevels(of: id) { $0.queued += 1 }
        if shutdown != nil {
            failAcquisition(id, .shutdown, .shutdown, at: now)
        } else if let limit = place(id, at: now) {
            enqueue(id, behind: limit, at: now)
        }
        return id
    }

    /// The caller gave up, wherever the request is.
    mutating func cancel(_ id: RequestID, at now: MonotonicTime) {
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
        case .connecting(let slot):
            record(.connectFailed(originID(of: id), connectFailure, took: now - slots[slot].opening))
            vacate(slot)
            failAcquisition(id, acquireFailure, failure, at: now)
        case .inFlight(let slot):
            close(slot, closeReason, at: now)
            endLease(id, at: now)
            actions.append(.fail(id, failure))
            forget(id)
        }
    }

    /// Gives what is to be done to the driver, in exchange for an array that is done with.
    ///
    /// - Returns: whether there is anything.
    mutating func handOver(_ done: inout [PoolAction]) -> Bool {
        done.removeAll(keepingCapacity: true)
        guard !actions.isEmpty else { return false }
        swap(&done, &actions)
        return true
    }

    /// Tells the observer of the turn, if there is anything to tell, and begins the next.
    mutating func endTurn(at now: MonotonicTime, telling observer: (any PoolObserver)?) {
        guard !turn.events.isEmpty || !touchedOrigins.isEmpty else { return }
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
        turn.oldestQueued = queueOrder.first.map { requests[$0].submitted }
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

// MARK: - What it holds

extension PoolStateMachine {
    struct Request {
        enum State {
            case queued
            case connecting(SlotID)
            case inFlight(SlotID)
        }
        let number: UInt64
        let origin: Int
        let site: CallSite
        let submitted: MonotonicTime
        let timeouts: PhaseTimeouts
        let isRepeatable: Bool
        let hasBody: Bool
        /// When this acquisition began: at the submission, or at the retry.
        var acquisitionBegan: MonotonicTime
        /// When it got its slot.
        var placed: MonotonicTime
        /// When its connection was ready.
        var acquired: MonotonicTime
        var state = State.queued
        var isInQueue = false
        var isRetry = false
        var waitsBehind = PoolLimit.connections

        init(_ new: NewRequest, origin: Int) {
            number = new.number
            self.origin = origin
            site = new.site
            submitted = new.submitted
            timeouts = new.timeouts
            isRepeatable = new.isRepeatable
            hasBody = new.hasBody
            acquisitionBegan = new.submitted
            placed = new.submitted
            acquired = new.submitted
        }

        var acquireDeadline: MonotonicTime { submitted + timeouts.acquire }
        var totalDeadline: MonotonicTime { submitted + timeouts.total }
    }

    struct Slot {
        enum State {
            case connecting(RequestID)
            case active(RequestID)
            case idle
        }
        let origin: Int
        var state: State
        /// When it was decided to open the connection.
        let opening: MonotonicTime
        /// When the connection became usable.
        var opened: MonotonicTime
        var idleSince: MonotonicTime
        /// When a byte last moved.
        var progress: MonotonicTime
        var isUploading = false
        var served: UInt32 = 0
        /// The moment of the slot's one live entry among the deadlines.
        var armed: MonotonicTime?
    }

    struct OriginState {
        let origin: Origin
        var levels = OriginLevels()
        var queue = IndexList()
        var idle = IndexList()
        var isEligible = false
        var isTouched = false

        var isUnused: Bool { levels.connections.total == 0 && levels.requests.total == 0 && !isEligible }
    }

    private struct SiteState {
        var levels = RequestLevels()
        var isTouched = false
    }

    struct Shutdown {
        var policy: ShutdownPolicy
        var graceEnds: MonotonicTime
    }

    /// Connections that count against the limit.
    var connectionCount: Int { slots.count }
    /// Requests that wait for a slot.
    var queuedCount: Int { queueOrder.count }
}

// MARK: - Levels and events: the one place where they change

extension PoolStateMachine {
    func originID(of id: RequestID) -> OriginID { OriginID(index: Int32(requests[id].origin)) }

    mutating func record(_ event: PoolEvent) { turn.events.append(event) }

    mutating func moveRequest(_ id: RequestID, to state: Request.State) {
        let old = requests[id].state
        requests[id].state = state
        changeLevels(of: id) { levels in
            switch old {
            case .queued: levels.queued -= 1
            case .connecting: levels.connecting -= 1
            case .inFlight: levels.inFlight -= 1
            }
            switch state {
            case .queued: levels.queued += 1
            case .connecting: levels.connecting += 1
            case .inFlight: levels.inFlight += 1
            }
        }
    }

    /// The request is finished; its number is free.
    mutating func forget(_ id: RequestID) {
        let state = requests[id].state
        changeLevels(of: id) { levels in
            switch state {
            case .queued: levels.queued -= 1
            case .connecting: levels.connecting -= 1
            case .inFlight: levels.inFlight -= 1
            }
        }
        requests.remove(at: id)
    }

    mutating func changeConnections(of origin: Int, _ change: (inout ConnectionLevels) -> Void) {
        change(&origins[origin].levels.connections)
        touch(origin)
    }

    private mutating func changeLevels(of id: RequestID, _ change: (inout RequestLevels) -> Void) {
        let origin = requests[id].origin
        change(&origins[origin].levels.requests)
        touch(origin)
        let site = requests[id].site
        let index = Int(site.index)
        while sites.count <= index { sites.append(SiteState()) }
        change(&sites[index].levels)
        if !sites[index].isTouched {
            sites[index].isTouched = true
            touchedSites.append(site)
        }
    }

    mutating func touch(_ origin: Int) {
        guard !origins[origin].isTouched else { return }
        origins[origin].isTouched = true
        touchedOrigins.append(origin)
    }

    private mutating func index(of origin: Origin) -> Int {
        // Most services talk to few origins, and often to the same one twice.
        if let latestOrigin, latestOrigin.origin == origin { return latestOrigin.index }
        if let index = originIndices[origin] {
            latestOrigin = (origin, index)
            return index
        }
        let index = origins.insert(OriginState(origin: origin))
        originIndices[origin] = index
        turn.newOrigins.append((OriginID(index: Int32(index)), origin))
        return index
    }

    /// Ends the acquisition of a request that has no connection, and the request with it.
    mutating func failAcquisition(
        _ id: RequestID,
        _ reason: AcquireFailure,
        _ failure: RequestFailure,
        at now: MonotonicTime
    ) {
        record(.acquireFailed(originID(of: id), reason, waited: now - requests[id].acquisitionBegan))
        actions.append(.fail(id, failure))
        forget(id)
    }

    mutating func endLease(_ id: RequestID, at now: MonotonicTime) {
        record(.leaseEnded(originID(of: id), requests[id].site, held: now - requests[id].acquired))
    }
}
