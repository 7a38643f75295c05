/// What a pool's connections and requests are doing, as their client reports it: the state behind a ``PoolRecorder``.
///
/// It keeps the levels and the events together, so the numbers add up however the client is built. A report that contradicts
/// an earlier one changes nothing and is kept in ``violations``, for the tests of an adapter.
///
/// The life of a request: ``submitted(to:site:)``; ``queued(_:behind:)`` where a limit makes it wait; ``placed(_:)`` when it
/// gets a slot; then ``acquired(_:on:)`` or ``acquireFailed(_:_:)``. One that acquired ends with ``leaseEnded(_:)``, or goes
/// back to waiting with ``retried(_:)``. A connection begins with ``connectionOpening(to:)``, then
/// ``connectionOpened(_:)`` and ``connectionClosed(_:_:)``, or ``connectionFailed(_:_:)``.
public struct PoolLedger: Sendable {
    /// The limits and timeouts in force.
    public private(set) var configuration: PoolConfiguration
    /// Reports that contradicted earlier ones, the latest 100 of them.
    public private(set) var violations: [Violation] = []
    /// The pool has ended: every request that is submitted now fails.
    public private(set) var hasEnded = false

    private var requests: [RequestNumber: Request] = [:]
    private var connections: [ConnectionNumber: Connection] = [:]
    private var origins = LedgerOrigins()
    private var sites = LedgerSites()
    private var waiting = LedgerQueue()
    private var lastRequest: UInt64 = 0
    private var lastConnection: UInt64 = 0
    private var events: [PoolEvent] = []
    private var newConfiguration: PoolConfiguration?
    /// The moment of the reports that are being made.
    private var now = MonotonicTime(nanoseconds: 0)

    private struct Request {
        enum State: Equatable {
            case queued, placed
            case acquired(ConnectionNumber?)
        }
        let origin: Origin
        let site: CallSite
        /// When this acquisition began: at the submission, or at the retry.
        var began: MonotonicTime
        var placed: MonotonicTime?
        var acquired: MonotonicTime?
        var state = State.queued
    }

    private struct Connection {
        let origin: Origin
        let opening: MonotonicTime
        var opened: MonotonicTime?
        var leases = 0
        var served: UInt32 = 0
    }

    /// A report that contradicted an earlier one.
    public struct Violation: Sendable, Hashable, CustomStringConvertible {
        /// The report, by the name of its function.
        public let report: String
        /// Why it cannot be.
        public let reason: String

        /// Both.
        public var description: String { "\(report): \(reason)" }
    }

    init(configuration: PoolConfiguration) { self.configuration = configuration }

    // MARK: Requests

    /// A request was submitted. It counts as queued until it is placed.
    ///
    /// - Returns: its number, for the reports that follow.
    public mutating func submitted(to origin: Origin, site: CallSite = .unattributed) -> RequestNumber {
        lastRequest += 1
        let number = RequestNumber(lastRequest)
        requests[number] = Request(origin: origin, site: site, began: now)
        change(requests: number) { $0.queued += 1 }
        waiting.append(number, since: now)
        if hasEnded { acquireFailed(number, .shutdown) }
        return number
    }

    /// A limit makes the request wait.
    public mutating func queued(_ number: RequestNumber, behind limit: PoolLimit) {
        guard let request = request(number, in: [.queued], #function) else { return }
        record(.queued(behind: limit), of: request.origin, number)
    }

    /// The request got a slot: an idle connection, a place on one, or leave to open one. Not to be reported by clients that do
    /// not know (``PoolFacts/slots``).
    public mutating func placed(_ number: RequestNumber) {
        guard request(number, in: [.queued], #function) != nil else { return }
        place(number)
    }

    private mutating func place(_ number: RequestNumber) {
        requests[number]?.placed = now
        requests[number]?.state = .placed
        change(requests: number) {
            $0.queued -= 1
            $0.connecting += 1
        }
    }

    /// The request has a connection that is ready, alone or with others. How it came to it follows from the connection's life.
    public mutating func acquired(_ number: RequestNumber, on connection: ConnectionNumber) {
        guard let request = request(number, in: [.queued, .placed], #function) else { return }
        guard let found = connections[connection], found.opened != nil else {
            return note(#function, "the connection is not open")
        }
        guard found.origin == request.origin else {
            return note(#function, "the connection leads to another origin")
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

    /// The request has a connection, of a client that does not report its connections.
    public mutating func acquired(_ number: RequestNumber, _ kind: AcquireKind) {
        guard request(number, in: [.queued, .placed], #function) != nil else { return }
        acquire(number, kind, on: nil)
    }

    private mutating func acquire(_ number: RequestNumber, _ kind: AcquireKind, on connection: ConnectionNumber?) {
        if requests[number]?.state == .queued { place(number) }
        guard var request = requests[number] else { return }
        request.acquired = now
        request.state = .acquired(connection)
        requests[number] = request
        change(requests: number) {
            $0.connecting -= 1
            $0.inFlight += 1
        }
        let queued = (request.placed ?? now) - request.began
        record(.acquired(kind, waited: now - request.began, queued: queued), of: request.origin, number, connection)
    }

    /// The request ended without a connection.
    public mutating func acquireFailed(_ number: RequestNumber, _ reason: AcquireFailure) {
        guard let request = request(number, in: [.queued, .placed], #function) else { return }
        change(requests: number) { levels in
            if request.state == .queued { levels.queued -= 1 } else { levels.connecting -= 1 }
        }
        record(.acquireFailed(reason, waited: now - request.began), of: request.origin, number)
        requests[number] = nil
    }

    /// The request gave its connection back, or lost it.
    public mutating func leaseEnded(_ number: RequestNumber) {
        if endLease(number, #function) != nil { requests[number] = nil }
    }

    /// The pool sends the request again, because its connection was dead. The request waits for another one from now on.
    public mutating func retried(_ number: RequestNumber) {
        guard var request = endLease(number, #function) else { return }
        record(.staleRetry, of: request.origin, number)
        request.state = .queued
        request.began = now
        request.placed = nil
        request.acquired = nil
        requests[number] = request
        change(requests: number) { $0.queued += 1 }
        waiting.append(number, since: now)
    }

    private mutating func endLease(_ number: RequestNumber, _ report: String) -> Request? {
        guard let request = requests[number], case .acquired(let connection) = request.state else {
            note(report, "the request holds no connection")
            return nil
        }
        change(requests: number) { $0.inFlight -= 1 }
        let held = now - (request.acquired ?? now)
        record(.leaseEnded(request.site, held: held), of: request.origin, number, connection)
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
    /// - Returns: its number, for the reports that follow.
    public mutating func connectionOpening(to origin: Origin) -> ConnectionNumber {
        lastConnection += 1
        let number = ConnectionNumber(lastConnection)
        connections[number] = Connection(origin: origin, opening: now)
        changeConnections(of: origin) { $0.connecting += 1 }
        return number
    }

    /// The connection is usable, and idle until a request acquires it.
    public mutating func connectionOpened(_ number: ConnectionNumber) {
        guard let connection = connections[number], connection.opened == nil else {
            return note(#function, "the connection is not being opened")
        }
        connections[number]?.opened = now
        changeConnections(of: connection.origin) {
            $0.connecting -= 1
            $0.idle += 1
        }
        record(.connectionOpened(took: now - connection.opening), of: connection.origin, nil, number)
    }

    /// The connection never became usable.
    public mutating func connectionFailed(_ number: ConnectionNumber, _ reason: ConnectFailure) {
        guard let connection = connections[number], connection.opened == nil else {
            return note(#function, "the connection is not being opened")
        }
        connections[number] = nil
        changeConnections(of: connection.origin) { $0.connecting -= 1 }
        record(.connectFailed(reason, took: now - connection.opening), of: connection.origin, nil, number)
    }

    /// The connection, which was usable, is closed. Requests that still hold it end by a report of their own.
    public mutating func connectionClosed(_ number: ConnectionNumber, _ reason: CloseReason) {
        guard let connection = connections[number], let opened = connection.opened else {
            return note(#function, "the connection is not open")
        }
        connections[number] = nil
        changeConnections(of: connection.origin) { levels in
            if connection.leases > 0 { levels.active -= 1 } else { levels.idle -= 1 }
        }
        let closed = PoolEvent.Kind.connectionClosed(reason, lifetime: now - opened, requests: connection.served)
        record(closed, of: connection.origin, nil, number)
    }

    // MARK: The pool

    /// Other limits and timeouts are in force.
    public mutating func limitsChanged(to configuration: PoolConfiguration) {
        self.configuration = configuration
        newConfiguration = configuration
    }

    /// The pool has ended: whatever is left of its requests and connections ends now, and requests that are submitted later
    /// fail.
    public mutating func ended() {
        hasEnded = true
        for (number, request) in requests.sorted(by: { $0.key < $1.key }) {
            if case .acquired = request.state { leaseEnded(number) } else { acquireFailed(number, .shutdown) }
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

    /// Begins a turn: the reports that follow are of this moment.
    mutating func begin(at now: MonotonicTime) { self.now = max(now, self.now) }

    /// Ends the turn. `nil` where nothing was reported.
    mutating func end() -> PoolTurn? {
        guard !events.isEmpty || origins.isTouched || newConfiguration != nil else { return nil }
        var turn = PoolTurn(now: now)
        turn.takenThrough = lastRequest
        turn.configuration = newConfiguration
        turn.events = events
        (turn.newOrigins, turn.origins) = origins.takeTouched()
        turn.sites = sites.takeTouched()
        turn.oldestQueued = waiting.oldest { requests[$0]?.state == .queued }
        newConfiguration = nil
        events.removeAll(keepingCapacity: true)
        return turn
    }

    var hasRequests: Bool { lastRequest > 0 }

    private mutating func record(
        _ kind: PoolEvent.Kind,
        of origin: Origin,
        _ request: RequestNumber?,
        _ connection: ConnectionNumber? = nil
    ) {
        events.append(PoolEvent(kind, origins.id(of: origin), request: request, connection: connection))
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
        in states: [Request.State],
        _ report: String
    ) -> Request? {
        guard let request = requests[number], states.contains(request.state) else {
            note(report, "the request does not wait for a connection")
            return nil
        }
        return request
    }

    private mutating func note(_ report: String, _ reason: String) {
        if violations.count == 100 { violations.removeFirst() }
        violations.append(Violation(report: report, reason: reason))
    }
}
