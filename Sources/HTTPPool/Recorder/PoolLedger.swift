/// The state of a ``PoolRecorder``: what the pool's connections and requests are doing, as reported by their
/// client.
///
/// Levels and events are kept together, so the numbers add up for any client. A report that contradicts an earlier
/// one is ignored and recorded in ``violations``, for the tests of an adapter.
///
/// The life of a request: ``submitted(to:site:trace:)``; ``queued(_:behind:)`` if a limit makes it wait; ``placed(_:)``
/// when it gets a slot; then ``acquired(_:on:)`` or ``acquireFailed(_:_:)``. While it holds a connection:
/// ``requestSent(_:)``, ``responseHead(_:)``, and ``waitingFor(_:_:)`` whenever bytes move. It ends with
/// ``leaseEnded(_:_:)`` or waits again after ``retried(_:)``. The life of a connection:
/// ``connectionOpening(to:)``, then either ``connectionOpened(_:)`` and ``connectionClosed(_:_:)``, or
/// ``connectionFailed(_:_:)``.
public struct PoolLedger: Sendable {
    /// The limits and timeouts in force.
    public private(set) var configuration: PoolConfiguration
    /// The first 100 reports that contradicted earlier ones.
    public private(set) var violations: [Violation] = []
    /// Whether the pool has ended, so that every new request fails.
    public private(set) var hasEnded = false

    private var requests: [RequestNumber: LedgerRequest] = [:]
    private var connections: [ConnectionNumber: LedgerConnection] = [:]
    private var origins = LedgerOrigins()
    private var sites = LedgerSites()
    private var waiting = LedgerQueue()
    private var places = LedgerPlaces()
    private var waitingBehind: [PoolLimit: Int] = [:]
    private var lastRequest: UInt64 = 0
    private var lastConnection: UInt64 = 0
    private var news = LedgerNews()
    /// The time of the current reports.
    private var now = MonotonicTime(nanoseconds: 0)

    init(configuration: PoolConfiguration) { self.configuration = configuration }

    // MARK: Requests

    /// A request was submitted. It counts as queued until it is placed.
    ///
    /// - Parameters:
    ///   - origin: its origin.
    ///   - site: its call site.
    ///   - trace: its trace, if it is part of one that is sampled: see ``TraceID/init(traceparent:)``.
    /// - Returns: its number, for later reports.
    public mutating func submitted(
        to origin: Origin,
        site: CallSite = .unattributed,
        trace: TraceID? = nil
    ) -> RequestNumber {
        lastRequest += 1
        let number = RequestNumber(lastRequest)
        requests[number] = LedgerRequest(origin: origin, site: site, trace: trace, index: places.take(), began: now)
        change(requests: number) { $0.queued += 1 }
        waiting.append(number, since: now)
        record(.queued(behind: nil, waited: 0), number)
        if hasEnded { acquireFailed(number, .shutdown) }
        return number
    }

    /// The request waits because of a limit. Reporting the same limit again has no effect.
    public mutating func queued(_ number: RequestNumber, behind limit: PoolLimit) {
        guard let request = request(number, in: [.queued], #function) else { return }
        guard request.limit != limit else { return }
        setLimit(limit, of: number)
        record(.queued(behind: limit, waited: now - request.began), number)
    }

    private mutating func setLimit(_ limit: PoolLimit?, of number: RequestNumber) {
        if let old = requests[number]?.limit { waitingBehind[old, default: 0] -= 1 }
        if let limit { waitingBehind[limit, default: 0] += 1 }
        requests[number]?.limit = limit
    }

    /// The request got a slot: an idle connection, a stream on a connection, or permission to open one. Clients
    /// that cannot observe this (``PoolFacts/slots``) do not report it.
    public mutating func placed(_ number: RequestNumber) {
        guard let request = request(number, in: [.queued], #function) else { return }
        place(number)
        record(.connecting(waited: now - request.began), number)
    }

    private mutating func place(_ number: RequestNumber) {
        setLimit(nil, of: number)
        requests[number]?.placed = now
        requests[number]?.state = .placed
        change(requests: number) {
            $0.queued -= 1
            $0.connecting += 1
        }
    }

    /// The request acquired a ready connection. The kind of acquisition is derived from the connection's history.
    public mutating func acquired(_ number: RequestNumber, on connection: ConnectionNumber) {
        guard let request = request(number, in: [.queued, .placed], #function) else { return }
        guard let found = connections[connection], found.opened != nil else {
            return note(#function, number, connection, "the connection is not open")
        }
        guard found.origin == request.origin else {
            return note(#function, number, connection, "the connection belongs to another origin")
        }
        let kind: AcquireKind = found.leases > 0 ? .multiplexed : found.served > 0 ? .reused : .new
        changeConnections(of: found.origin) { levels in
            guard found.leases == 0 else { return }
            levels.idle -= 1
            levels.active += 1
        }
        connections[connection]?.leases += 1
        connections[connection]?.served &+= 1
        acquire(number, kind, on: connection)
    }

    /// The request acquired a connection of a client that does not report connections.
    public mutating func acquired(_ number: RequestNumber, _ kind: AcquireKind) {
        guard request(number, in: [.queued, .placed], #function) != nil else { return }
        acquire(number, kind, on: nil)
    }

    private mutating func acquire(_ number: RequestNumber, _ kind: AcquireKind, on connection: ConnectionNumber?) {
        if requests[number]?.state == .queued { place(number) }
        guard var request = requests[number] else { return }
        request.acquired = now
        request.lease = LedgerLease(began: now)
        request.state = .acquired(connection)
        requests[number] = request
        change(requests: number) {
            $0.connecting -= 1
            $0.inFlight += 1
        }
        let queued = (request.placed ?? now) - request.began
        record(.acquired(kind, waited: now - request.began, queued: queued), number, connection)
    }

    /// The request ended without acquiring a connection.
    public mutating func acquireFailed(_ number: RequestNumber, _ reason: AcquireFailure) {
        guard let request = request(number, in: [.queued, .placed], #function) else { return }
        change(requests: number) { levels in
            if request.state == .queued { levels.queued -= 1 } else { levels.connecting -= 1 }
        }
        let waited = now - request.began
        let queued = reason == .rejected ? 0 : (request.placed ?? now) - request.began
        record(.acquireFailed(reason, waited: waited, queued: queued), number)
        forget(number)
    }

    /// All bytes of the request were sent.
    public mutating func requestSent(_ number: RequestNumber) {
        changeLease(number, #function) { $0.requestSent(at: $1) }
    }

    /// The head of the final response arrived. Interim responses (status 1xx) are not reported.
    public mutating func responseHead(_ number: RequestNumber) {
        guard changeLease(number, #function, { $0.headArrived(at: $1) }), let request = requests[number] else { return }
        record(.responded(waited: now - (request.acquired ?? now)), number)
    }

    /// Bytes of the request or of the response moved, or the side that is to move the next ones has changed.
    public mutating func waitingFor(_ side: LeaseSide, _ number: RequestNumber) {
        changeLease(number, #function) { $0.waits(for: side, at: $1) }
    }

    /// The request released or lost its connection. For a complete response, `LeaseOutcome(status:)` gives the outcome.
    public mutating func leaseEnded(_ number: RequestNumber, _ outcome: LeaseOutcome) {
        guard outcome != .retried else {
            return note(#function, number, nil, "a request that is sent again is reported by retried(_:)")
        }
        if endLease(number, outcome, #function) != nil { forget(number) }
    }

    /// The pool retries the request because its connection was dead. The request waits again from now on.
    public mutating func retried(_ number: RequestNumber) {
        guard var request = endLease(number, .retried, #function) else { return }
        record(.staleRetry, number)
        request.state = .queued
        request.began = now
        request.placed = nil
        request.acquired = nil
        requests[number] = request
        change(requests: number) { $0.queued += 1 }
        waiting.append(number, since: now)
        record(.queued(behind: nil, waited: 0), number)
    }

    @discardableResult
    private mutating func changeLease(
        _ number: RequestNumber,
        _ report: String,
        _ change: (inout LedgerLease, MonotonicTime) -> Bool
    ) -> Bool {
        guard var request = requests[number], case .acquired = request.state else {
            note(report, number, nil, "the request holds no connection")
            return false
        }
        guard change(&request.lease, now) else {
            note(report, number, nil, "it was reported before")
            return false
        }
        requests[number] = request
        return true
    }

    /// What a lease is doing; `nil` if the request holds no connection.
    func lease(of number: RequestNumber) -> LeaseState? {
        guard let request = requests[number], case .acquired = request.state else { return nil }
        return request.lease.state
    }

    private mutating func endLease(
        _ number: RequestNumber,
        _ outcome: LeaseOutcome,
        _ report: String
    ) -> LedgerRequest? {
        guard let request = requests[number], case .acquired(let connection) = request.state else {
            note(report, number, nil, "the request holds no connection")
            return nil
        }
        change(requests: number) { $0.inFlight -= 1 }
        let held = now - (request.acquired ?? now)
        record(.leaseEnded(outcome, held: held), number, connection)
        if let connection, let found = connections[connection] {
            connections[connection]?.leases -= 1
            if found.leases == 1 {
                changeConnections(of: found.origin) {
                    $0.active -= 1
                    $0.idle += 1
                }
            }
        }
        return request
    }

    // MARK: Connections

    /// A connection is being opened.
    ///
    /// - Returns: its number, for later reports.
    public mutating func connectionOpening(to origin: Origin) -> ConnectionNumber {
        lastConnection += 1
        let number = ConnectionNumber(lastConnection)
        connections[number] = LedgerConnection(origin: origin, opening: now)
        changeConnections(of: origin) { $0.connecting += 1 }
        return number
    }

    /// The connection is usable, and idle until a request acquires it.
    public mutating func connectionOpened(_ number: ConnectionNumber) {
        guard let connection = connections[number], connection.opened == nil else {
            return note(#function, nil, number, "the connection is not being opened")
        }
        connections[number]?.opened = now
        changeConnections(of: connection.origin) {
            $0.connecting -= 1
            $0.idle += 1
        }
        record(.connectionOpened(took: now - connection.opening), of: connection.origin, number)
    }

    /// The connection failed to open.
    public mutating func connectionFailed(_ number: ConnectionNumber, _ reason: ConnectFailure) {
        guard let connection = connections[number], connection.opened == nil else {
            return note(#function, nil, number, "the connection is not being opened")
        }
        connections[number] = nil
        changeConnections(of: connection.origin) { $0.connecting -= 1 }
        record(.connectFailed(reason, took: now - connection.opening), of: connection.origin, number)
    }

    /// A usable connection was closed. Requests that still hold it must be reported as ended separately.
    public mutating func connectionClosed(_ number: ConnectionNumber, _ reason: CloseReason) {
        guard let connection = connections[number], let opened = connection.opened else {
            return note(#function, nil, number, "the connection is not open")
        }
        connections[number] = nil
        changeConnections(of: connection.origin) { levels in
            if connection.leases > 0 { levels.active -= 1 } else { levels.idle -= 1 }
        }
        let closed = PoolEvent.Kind.connectionClosed(reason, lifetime: now - opened, requests: connection.served)
        record(closed, of: connection.origin, number)
    }

    // MARK: The pool

    /// An origin caused an error: a connection to it failed to open, or a request failed. Reported beside that.
    ///
    /// - Parameters:
    ///   - origin: the origin.
    ///   - words: the error, as a person is to read it on a page. It must contain no path, query, header field or other
    ///     secret.
    public mutating func originFailed(_ origin: Origin, _ words: String) {
        news.failures.append(PoolTurn.OriginFailure(origins.id(of: origin), words))
    }

    /// The limits and timeouts in force changed.
    public mutating func limitsChanged(to configuration: PoolConfiguration) {
        self.configuration = configuration
        news.configuration = configuration
    }

    /// The pool has ended. Remaining requests and connections end now; requests submitted later fail.
    public mutating func ended() {
        hasEnded = true
        for (number, request) in requests.sorted(by: { $0.key < $1.key }) {
            if case .acquired = request.state {
                leaseEnded(number, .shutdown)
            } else {
                acquireFailed(number, .shutdown)
            }
        }
        for (number, connection) in connections.sorted(by: { $0.key < $1.key }) {
            if connection.opened != nil {
                connectionClosed(number, .shutdown)
            } else {
                connectionFailed(number, .cancelled)
            }
        }
    }

    // MARK: Turns

    /// Begins a turn at the given time.
    mutating func begin(at now: MonotonicTime) { self.now = max(now, self.now) }

    /// Ends the turn; `nil` if nothing was reported.
    mutating func end() -> PoolTurn? {
        guard !news.isEmpty || origins.isTouched else { return nil }
        var turn = PoolTurn(now: now)
        turn.takenThrough = lastRequest
        turn.isEnding = hasEnded
        news.move(to: &turn)
        (turn.newOrigins, turn.origins) = origins.takeTouched()
        turn.sites = sites.takeTouched()
        turn.oldestQueued = waiting.oldest { requests[$0]?.state == .queued }
        for (limit, count) in waitingBehind where count > 0 { turn.saturation.insert(PoolSaturation(limit)) }
        return turn
    }

    /// Whether a request or a connection was reported.
    var hasReports: Bool { lastRequest > 0 || lastConnection > 0 }

    private mutating func forget(_ number: RequestNumber) {
        setLimit(nil, of: number)
        guard let request = requests.removeValue(forKey: number) else { return }
        places.release(request.index)
    }

    private mutating func record(
        _ kind: PoolEvent.Kind,
        _ number: RequestNumber,
        _ connection: ConnectionNumber? = nil
    ) {
        guard let request = requests[number] else { return }
        let key = RequestKey(number: number, index: request.index)
        let id = origins.id(of: request.origin)
        let event = PoolEvent(kind, id, at: now, site: request.site, request: key, connection: connection)
        news.append(event, of: request.trace)
    }

    private mutating func record(_ kind: PoolEvent.Kind, of origin: Origin, _ connection: ConnectionNumber) {
        news.append(PoolEvent(kind, origins.id(of: origin), at: now, connection: connection), of: nil)
    }

    private mutating func change(requests number: RequestNumber, _ change: (inout RequestLevels) -> Void) {
        guard let request = requests[number] else { return }
        origins.change(request.origin) { change(&$0.requests) }
        sites.change(request.site, change)
    }

    private mutating func changeConnections(of origin: Origin, _ change: (inout ConnectionLevels) -> Void) {
        origins.change(origin) { change(&$0.connections) }
    }

    private mutating func request(
        _ number: RequestNumber,
        in states: [LedgerRequest.State],
        _ report: String
    ) -> LedgerRequest? {
        guard let request = requests[number], states.contains(request.state) else {
            note(report, number, nil, "the request is not waiting for a connection")
            return nil
        }
        return request
    }

    private mutating func note(
        _ report: String,
        _ request: RequestNumber?,
        _ connection: ConnectionNumber?,
        _ reason: String
    ) {
        guard violations.count < 100 else { return }
        violations.append(Violation(report: report, reason: reason, request: request, connection: connection))
    }
}
