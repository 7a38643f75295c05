import Logging
import NIOCore
import NIOHTTP1
import PoolMetrics

/// The connections of an endpoint. It belongs to the endpoint's event loop.
final class ConnectionSet {
    typealias ID = ConnectionTable.ID

    let allowance: Allowance
    private let routes: EndpointRoutes
    private let counters: EndpointCounters
    private let logger: Logger
    private var credentials: CredentialsFile?
    private let loop: any EventLoop
    private var table: ConnectionTable
    private var handlers: [ID: ConnectionHandler] = [:]
    private var lastID: ID = 0
    private var log = RefusalLog()
    private var date = HTTPDateText()
    private var turns: TurnQueue
    /// Whether a turn of those that have not asked right before is scheduled, and one of the others.
    private var isTurnComing = (first: false, repeated: false)
    /// When overdue connections are looked for next.
    private var nextSweep: NIODeadline?

    /// The event loop runs all tasks that are due before it looks at its sockets again. The next turn must not be due when
    /// the one before it ends, so that others are served between them.
    private static let turnPause = TimeAmount.microseconds(250)

    init(
        allowance: Allowance,
        routes: EndpointRoutes,
        counters: EndpointCounters,
        credentials: CredentialsFile?,
        logger: Logger,
        loop: any EventLoop
    ) {
        self.credentials = credentials
        self.allowance = allowance
        self.routes = routes
        self.counters = counters
        self.logger = logger
        self.loop = loop
        table = ConnectionTable(limit: allowance.connections)
        turns = TurnQueue(mostRepeated: allowance.repeatedPerTurn)
    }

    // MARK: Connections

    /// Takes in a connection that was accepted.
    ///
    /// - Parameter isScarce: whether it uses one of the last descriptors; it is then closed after one response.
    func admit(_ channel: any Channel, hosts: HostRule, isScarce: Bool) throws {
        lastID += 1
        let handler = ConnectionHandler(id: lastID, set: self, hosts: hosts, isScarce: isScarce)
        let deadline = NIODeadline.now() + (isScarce ? allowance.requestWhenScarce : allowance.request)
        if let loser = table.open(lastID, deadline: deadline) {
            refused(.connections, "the connection was idle for longest, and as many were open as may be")
            handlers.removeValue(forKey: loser)?.giveWay()
        }
        handlers[lastID] = handler
        let options = channel.syncOptions
        try options?.setOption(.allowRemoteHalfClosure, value: true)
        // The handler reads when it can use more.
        try options?.setOption(.autoRead, value: false)
        try options?.setOption(.maxMessagesPerRead, value: 1)
        try options?.setOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 4096))
        sweep(by: deadline)
        counters.setConnections(table.count)
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    func move(_ id: ID, to phase: ConnectionTable.Phase, within time: TimeAmount? = nil) {
        let deadline = time.map { NIODeadline.now() + $0 }
        table.move(id, to: phase, deadline: deadline)
        if let deadline { sweep(by: deadline) }
    }

    func remove(_ id: ID) {
        table.close(id)
        handlers[id] = nil
        counters.setConnections(table.count)
    }

    // MARK: Requests

    private func respond(to request: RequestGate.Admitted) -> EndpointResponse {
        let start = NIODeadline.now()
        let response = routes.response(
            method: request.method,
            path: request.path,
            query: request.query,
            headers: request.headers
        )
        if response.page == .metrics, response.status == .ok {
            let seconds = Double((NIODeadline.now() - start).nanoseconds) / 1e9
            counters.scraped(seconds: seconds, bytes: response.plainBytes)
        }
        return response
    }

    /// What decides whether the next request is served.
    func gate(_ hosts: HostRule) -> RequestGate {
        if let fault = credentials?.refresh(at: .now()) {
            logger.warning("the credentials of the metrics endpoint are unchanged", metadata: ["problem": "\(fault)"])
        }
        return RequestGate(hosts: hosts, credentials: credentials)
    }

    func dateText() -> String { date.now() }

    func responded(_ response: EndpointResponse) { counters.responded(response.page, Int(response.status.code)) }

    func refused(_ refusal: EndpointReading.Refusal, _ reason: String) {
        counters.refused(refusal)
        guard let count = log.count(refusal, at: .now()) else { return }
        logger.warning(
            "metrics endpoint refused connections or requests",
            metadata: ["reason": "\(refusal.rawValue)", "count": "\(count)", "last": "\(reason)"]
        )
    }

    // MARK: Turns

    /// Has the request of a connection served in its turn.
    ///
    /// - Parameter isRepeated: whether its peer has had a response just before.
    func waitForTurn(_ id: ID, isRepeated: Bool) {
        turns.add(id, isRepeated: isRepeated)
        scheduleTurns()
    }

    private func scheduleTurns() {
        if turns.hasFirst, !isTurnComing.first {
            isTurnComing.first = true
            // When the event loop has seen all sockets that are ready: equal requests are rendered once.
            loop.assumeIsolated().execute {
                self.isTurnComing.first = false
                self.serve(self.turns.takeFirst())
            }
        }
        if turns.hasRepeated, !isTurnComing.repeated {
            isTurnComing.repeated = true
            loop.assumeIsolated().scheduleTask(in: Self.turnPause) {
                self.serve(self.turns.takeRepeated())
                // Only now, because rendering takes longer than the pause, and a turn that is due would run at once.
                self.isTurnComing.repeated = false
                self.scheduleTurns()
            }
        }
    }

    private func serve(_ ids: [ID]) {
        var rendering = SharedRendering()
        for id in ids {
            guard let handler = handlers[id], let request = handler.waitingRequest else { continue }
            handler.respond(with: rendering.response(to: request, respond))
        }
    }

    // MARK: Deadlines

    private func sweep(by deadline: NIODeadline) {
        if let nextSweep, nextSweep <= deadline { return }
        nextSweep = deadline
        loop.assumeIsolated().scheduleTask(deadline: deadline) { self.sweep() }
    }

    private func sweep() {
        let now = NIODeadline.now()
        // A task that an earlier one replaced.
        guard let due = nextSweep, due <= now else { return }
        nextSweep = nil
        for id in table.expire(at: now) { handlers[id]?.deadlinePassed() }
        if let next = table.nextDeadline { sweep(by: next) }
    }
}
