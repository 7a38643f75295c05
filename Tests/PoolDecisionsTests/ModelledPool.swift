import HTTPPool
import LoopbackUpstream
import TestSupport

@testable import PoolDecisions

/// The state machine and a world for it: it does what the driver would do, keeps an account of its own, only from actions
/// and events, and notes what is against the rules.
struct ModelledPool {
    struct Connection {
        /// As many streams as the peer takes; `nil` where the connection speaks HTTP/1.1.
        let streams: Int?
        let host: Int
        let openedAt: MonotonicTime
        let tag: Int
        var isReady = false
        var hasResponded = false
        /// It has refused a request, and no response came before.
        var hasRefused = false
        var isGoingAway = false
        /// It was reported to the pool that it closes.
        var isToClose = false
        /// The later a request left it last, the higher.
        var left = 0
        /// Those with a transfer on it: the one that opens it, or those in flight.
        var transfers: [RequestID] = []
        /// Those that libcurl tries to give a stream.
        var joining: [RequestID] = []

        var isHTTP2: Bool { streams != nil }
    }

    struct Request {
        let number: UInt64
        let tag: Int
        let host: Int
        /// When it was submitted, in the count of ``Line``.
        let moment: Int
        let acquireDeadline: MonotonicTime
        /// The connection that its transfer is on.
        var slot: SlotID?
        /// When it met a dead connection; it wants one that was opened since.
        var retriedAt = MonotonicTime(nanoseconds: 0)
        /// Its transfer opened the connection.
        var opened = false
        /// Whether it was in the queue after the last input; a new one is as good as in it.
        var wasQueued = true
        /// It was out of the queue already.
        var hadPlace = false
    }

    let sequence: RandomSequence
    let rig: Rig
    var limits: PoolLimits
    var connections: [Connection?] = []
    var requests: [Request?] = []
    /// The levels that were reported to the observer, by origin.
    var reported: [OriginLevels] = []
    /// The limits that keep requests waiting, as reported.
    var saturation: PoolSaturation = []
    var tally: [Int] = Array(repeating: 0, count: PoolEventKind.allCases.count)
    var submitted = 0
    var finished = 0
    var retried = 0
    /// After a limit was lowered there may be more for a while, but never more again.
    var ceiling: Ceiling
    var isShutDown = false
    /// After the shutdown began, nobody may wait.
    var failsQueue = false
    var isSubmitting = false
    private(set) var violations: [String] = []
    var opened: [RequestID] = []
    var departures = 0
    var line = Line()
    /// By host.
    var refusals: [Int: RefusalAccount] = [:]

    static let sites = [CallSite.unattributed, CallSite("modelled")]

    init(_ sequence: RandomSequence) {
        self.sequence = sequence
        limits = sequence.limits
        ceiling = Ceiling(sequence.limits)
        let limits = sequence.limits
        rig = Rig(http2: sequence.http2) { $0 = limits }
    }

    mutating func take(_ step: RandomStep) {
        switch step {
        case .submit(let tag, let host, let acquire, let total, let hasBody, let isRepeatable):
            submit(host, tag: tag, acquire: acquire, total: total, hasBody: hasBody, isRepeatable: isRepeatable)
        case .ready(let pick): ready(pick)
        case .connectFails(let pick, let reason): connectFails(pick, reason)
        case .respond(let pick): respond(pick)
        case .complete(let pick, let keepAlive): complete(pick, keepAlive: keepAlive)
        case .breaks(let pick, let alone): breaks(pick, alone: alone)
        case .stale(let pick, let sent): stale(pick, sent: sent)
        case .goAway(let pick):
            guard let slot = slot(pick, where: { $0.isReady && $0.isHTTP2 }) else { return }
            connections[slot]?.isGoingAway = true
        case .cancel(let pick):
            guard let id = request(pick, where: { _ in true }) else { return }
            rig.cancel(id)
            apply()
        case .bodyFails(let pick):
            guard let id = request(pick, where: { $0.slot != nil }) else { return }
            rig.bodyFailed(id)
            apply()
        case .idleSpoke(let pick):
            guard let slot = slot(pick, where: { $0.isReady && $0.transfers.isEmpty && $0.joining.isEmpty }) else {
                return
            }
            rig.idleConnectionEnded(slot, .unexpectedData)
            apply()
        case .progress(let pick, let awaiting):
            guard let id = inFlight(pick) else { return }
            rig.progress(id, awaiting)
            apply()
        case .awaits(let pick, let awaiting):
            guard let id = inFlight(pick) else { return }
            rig.awaits(id, awaiting)
            apply()
        case .settleJoins: settleJoins()
        case .drain: drain()
        case .pass(let duration): pass(duration)
        case .reconfigure(let change):
            change.apply(to: &limits)
            ceiling.lower(to: limits, from: self)
            let limits = limits
            rig.reconfigure { $0 = limits }
            apply()
            settleJoins()
            doWhatIsDue()
        case .shutDown(let queued, let grace):
            isShutDown = true
            if queued == .fail { failsQueue = true }
            rig.beginShutdown(ShutdownPolicy(queued: queued, grace: grace))
            apply()
        }
    }

    /// The grace passes; nothing may be left.
    mutating func end() {
        pass(.seconds(1))
        settleJoins()
        check(rig.isDrained, "something is left after the shutdown")
        check(!requests.contains { $0 != nil }, "a request has no end")
        check(!connections.contains { $0 != nil }, "a connection is left open")
        check(rig.machine.nextDeadline() == nil, "a timer is left")
        for levels in reported { check(levels == OriginLevels(), "a level is not 0 after the shutdown") }
    }

    mutating func check(_ holds: Bool, _ what: String) {
        if !holds { violations.append(what) }
    }

    // MARK: What is there to pick from

    /// Which of those that fit the number picks: their tags decide, not their places.
    private struct Choice {
        let pick: Int
        private var best: UInt64 = .max
        private(set) var chosen: Int?

        init(_ pick: Int) { self.pick = pick }

        mutating func offer(_ id: Int, tag: Int) {
            var mixer = SplitMix64(seed: UInt64(pick) << 32 | UInt64(tag))
            let rank = mixer.next()
            if rank < best { (best, chosen) = (rank, id) }
        }
    }

    private func slot(_ pick: Int, where fits: (Connection) -> Bool) -> SlotID? {
        var choice = Choice(pick)
        for (id, connection) in connections.enumerated() {
            if let connection, fits(connection) { choice.offer(id, tag: connection.tag) }
        }
        return choice.chosen
    }

    private func request(_ pick: Int, where fits: (Request) -> Bool) -> RequestID? {
        var choice = Choice(pick)
        for (id, request) in requests.enumerated() {
            if let request, fits(request) { choice.offer(id, tag: request.tag) }
        }
        return choice.chosen
    }

    /// A request that holds a ready connection.
    private func inFlight(_ pick: Int, where fits: (Request, Connection) -> Bool = { _, _ in true }) -> RequestID? {
        var choice = Choice(pick)
        for connection in connections {
            guard let connection, connection.isReady else { continue }
            for id in connection.transfers {
                if let request = requests[id], fits(request, connection) { choice.offer(id, tag: request.tag) }
            }
        }
        return choice.chosen
    }

    // MARK: Steps

    private mutating func submit(
        _ number: Int,
        tag: Int,
        acquire: Duration?,
        total: Duration?,
        hasBody: Bool,
        isRepeatable: Bool
    ) {
        // Some hosts are asked more than others.
        let host = number % sequence.hosts.count
        var timeouts = PoolTimeouts()
        timeouts.acquire = acquire
        timeouts.total = total
        timeouts.connect = .milliseconds(100)
        timeouts.read = .milliseconds(200)
        timeouts.write = .milliseconds(120)
        let id = rig.submit(
            String(host),
            timeouts: timeouts,
            isRepeatable: isRepeatable,
            hasBody: hasBody,
            site: Self.sites[number % Self.sites.count]
        )
        submitted += 1
        while requests.count <= id { requests.append(nil) }
        check(requests[id] == nil, "the number of a request that is not finished is used again")
        isSubmitting = true
        line.moments += 1
        let deadline = acquire.map { rig.now + $0.wholeNanoseconds } ?? MonotonicTime(nanoseconds: .max)
        requests[id] = Request(
            number: UInt64(submitted),
            tag: tag,
            host: host,
            moment: line.moments,
            acquireDeadline: deadline
        )
        apply()
    }

    private mutating func ready(_ pick: Int) {
        guard let slot = slot(pick, where: { !$0.isReady }) else { return }
        connections[slot]?.isReady = true
        rig.connectionReady(slot)
        apply()
    }

    private mutating func connectFails(_ pick: Int, _ reason: ConnectFailure) {
        guard let slot = slot(pick, where: { !$0.isReady }), let id = connections[slot]?.transfers.first else { return }
        transferEnded(id, .broken(reason))
    }

    private mutating func respond(_ pick: Int) {
        let id = inFlight(pick) { request, connection in request.opened && !connection.hasResponded }
        guard let id, let slot = requests[id]?.slot else { return }
        responded(slot)
        rig.responseBegan(slot, isMultiplexed: connections[slot]?.isHTTP2 == true)
        apply()
    }

    private mutating func complete(_ pick: Int, keepAlive: Bool) {
        guard let id = inFlight(pick) else { return }
        complete(request: id, keepAlive: keepAlive)
    }

    private mutating func complete(request id: RequestID, keepAlive: Bool) {
        guard let request = requests[id], let slot = request.slot else { return }
        // No exchange ends without a response.
        if request.opened, connections[slot]?.hasResponded == false {
            responded(slot)
            rig.responseBegan(slot, isMultiplexed: connections[slot]?.isHTTP2 == true)
            apply()
        }
        if !keepAlive {
            connections[slot]?.isGoingAway = true
            connections[slot]?.isToClose = true
        }
        responded(slot)
        transferEnded(id, .complete(keepAlive: keepAlive))
    }

    private mutating func breaks(_ pick: Int, alone: Bool) {
        guard let id = inFlight(pick), let slot = requests[id]?.slot, let connection = connections[slot] else { return }
        if alone, connection.isHTTP2 {
            transferEnded(id, .broken(.other, keepAlive: true))
            return
        }
        connections[slot]?.isGoingAway = true
        for id in connection.transfers where requests[id]?.slot == slot && connections[slot] != nil {
            transferEnded(id, .broken(.other))
        }
    }

    private mutating func stale(_ pick: Int, sent: Bool) {
        let id = inFlight(pick) { request, connection in !request.opened || connection.isHTTP2 }
        guard let id, let slot = requests[id]?.slot else { return }
        connections[slot]?.isGoingAway = true
        refused(slot)
        transferEnded(id, .stale(sent: sent, .peerClosed))
    }

    /// The driver has taken the transfer off libcurl before it says that it ended.
    private mutating func transferEnded(_ id: RequestID, _ ending: TransferEnding) {
        let slot = requests[id]?.slot
        takeOff(id)
        let verdict = rig.transferEnded(id, ending)
        checkRefusal(verdict, ending, on: slot)
        switch verdict {
        case .deliver, .refuse:
            requests[id] = nil
            finished += 1
        case .retry:
            guard case .stale = ending else { break }
            retried += 1
            requests[id]?.retriedAt = rig.now
            if let slot { line.owed.insert(slot) }
        }
        apply()
    }

    mutating func takeOff(_ id: RequestID) {
        guard let slot = requests[id]?.slot else { return }
        connections[slot]?.transfers.removeAll { $0 == id }
        connections[slot]?.joining.removeAll { $0 == id }
        departures += 1
        connections[slot]?.left = departures
        requests[id]?.slot = nil
        if let connection = connections[slot], connection.isIdle { line.freed.append(connection.host) }
    }

    private mutating func settleJoins() {
        var rounds = 0
        while let slot = connections.firstIndex(where: { $0?.joining.isEmpty == false }) {
            rounds += 1
            guard rounds < 1_000 else {
                check(false, "joins never come to an end")
                return
            }
            let joining = connections[slot]?.joining ?? []
            for id in joining where mayJoin(slot) {
                connections[slot]?.joining.removeAll { $0 == id }
                connections[slot]?.transfers.append(id)
                rig.joined(id)
                apply()
            }
            for id in joining where connections[slot]?.joining.contains(id) == true {
                takeOff(id)
                line.owed.insert(slot)
                rig.joinRefused(id)
                apply()
            }
        }
    }

    /// Whatever is being opened is ready, and all that is in flight is complete.
    ///
    /// - Returns: whether there was anything.
    mutating func endAll() -> Bool {
        settleJoins()
        guard let slot = connections.firstIndex(where: { $0?.transfers.isEmpty == false }),
            let id = connections[slot]?.transfers.first
        else { return false }
        if connections[slot]?.isReady == false {
            connections[slot]?.isReady = true
            rig.connectionReady(slot)
            apply()
        } else {
            complete(request: id, keepAlive: true)
        }
        return true
    }

    private func mayJoin(_ slot: SlotID) -> Bool {
        guard let connection = connections[slot], let streams = connection.streams else { return false }
        return !connection.isGoingAway && connection.transfers.count < streams
    }

    mutating func pass(_ duration: Duration) {
        settleJoins()
        rig.now = rig.now + duration.wholeNanoseconds
        doWhatIsDue()
    }

    /// The last thing in every turn.
    private mutating func doWhatIsDue() {
        if let deadline = rig.machine.nextDeadline(), deadline <= rig.now {
            rig.timePassed()
            apply()
            settleJoins()
        }
        if let next = rig.machine.nextDeadline() { check(next > rig.now, "something is overdue after time passed") }
    }
}
