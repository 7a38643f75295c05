package import HTTPPool

/// Decides for the pool: who gets which connection, what is closed, who has waited too long.
///
/// A value without clock, lock and socket. Its inputs are what happened, and when; those that can decide anything return the
/// ``PoolActions`` that the driver is to do, and ``endTurn(at:reportingTo:)`` reports what happened to the observer.
///
/// The state lies in parts that keep it to themselves (`State/`); the rules, which need several of them, are the extensions
/// of this type, a file for each kind of input. The rules:
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
package struct PoolStateMachine: ~Copyable {
    var rules: PoolRules
    var shutdown: Shutdown?

    /// Requests that are not finished.
    var requests = Slab<Request>()
    /// Places of connections.
    var slots = Slab<Slot>()
    /// How many connections it was decided to open so far.
    var lastConnection: UInt64 = 0
    /// The requests that have a place on a slot, by slot; the one that opens the connection first.
    var places = IndexLists()
    var origins = Origins()

    var waiting = Waiting()
    var servingOrder = ServingOrder()
    var ownLimits = OwnLimits()
    var vacancies = Vacancies()

    var idle = IdleConnections()
    var rooms = Rooms()
    var refusals = Refusals()
    /// When each slot is looked at next: a phase of one of its requests runs out, or something of its own.
    var slotAlarms = Alarms()

    var record = TurnRecord()
    var actions = PendingActions()
    /// What the leases are doing, for readers outside of the turn.
    let board: LeaseBoard

    package init(rules: PoolRules, board: LeaseBoard = LeaseBoard()) {
        self.rules = rules
        self.board = board
    }

    /// Connections that count against the limit.
    var connectionCount: Int { slots.count }

    /// Requests that are not finished.
    package var requestCount: Int { requests.count }

    /// Whether the slot's connection, if it has one, is being opened for this request.
    package func isOpening(_ slot: SlotID, for id: RequestID) -> Bool {
        slots.contains(slot) && isOpener(id, of: slot)
    }

    /// Takes back the memory of actions that are done, or that were moved elsewhere.
    package mutating func recycle(_ done: consuming PoolActions) { actions.recycle(done) }

    // MARK: The turn

    /// So many names are being looked up for the pool from now on.
    package mutating func setResolving(_ count: Int) { record.setResolving(count) }

    /// Reports the turn to the observer if there is anything to report, and begins the next.
    ///
    /// - Parameter began: when the driver began to work on the turn.
    package mutating func endTurn(
        at now: MonotonicTime,
        began: MonotonicTime,
        reportingTo observer: (any PoolObserver)?
    ) {
        guard record.hasNews || now - began >= PoolTurn.stall else { return }
        record.noteBegin(began)
        finishTurn(at: now)
        observer?.poolDidTurn(record.turn)
        beginTurn()
    }

    mutating func finishTurn(at now: MonotonicTime) {
        record.finish(
            at: now,
            oldestQueued: waiting.oldestSubmission(),
            saturation: saturation,
            isEnding: shutdown != nil
        )
    }

    /// The origin caused an error.
    package mutating func noteFailure(of origin: Origin, _ words: String) {
        guard let number = origins.number(of: origin) else { return }
        record.noteFailure(of: number, words)
    }

    /// An origin responded with an error of its own: a status from 500 on. For the observer only.
    package mutating func noteErrorStatus(of origin: Origin, _ status: Int) {
        guard let number = origins.number(of: origin) else { return }
        record.noteErrorStatus(of: number, status)
    }

    /// The limits that keep requests waiting. Every connection that could be given was given before the turn ends, so
    /// whoever still has a rank waits for the limit of the whole pool.
    private var saturation: PoolSaturation {
        guard waiting.count > 0 else { return [] }
        var limits: PoolSaturation = servingOrder.isEmpty ? [] : .connections
        if ownLimits.count > 0 { limits.insert(.connectionsPerOrigin) }
        return limits
    }

    /// Lets go of origins that have neither connections nor requests.
    mutating func beginTurn() {
        while let origin = record.takeTouched() {
            if isUnused(origin) { origins.remove(origin) }
        }
        record.beginNext()
    }

    private func isUnused(_ origin: Int) -> Bool {
        record.isEmpty(origin) && !vacancies.isOffered(to: origin) && refusals.areNone(of: origin)
    }
}
