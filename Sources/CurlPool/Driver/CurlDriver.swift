import CLibcurl
import Glibc
import HTTPPool
import PoolDecisions

/// Carries out the decisions of the state machine: one thread, one epoll instance, one multi handle.
///
/// It works in turns: wait for events, handle the sockets' events, take what callers submitted, run libcurl, apply
/// elapsed time, report once to the observer, and only then resume the callers. So a caller that has its response
/// also finds it in the metrics. Jobs of the driver's executor run last; what they submit forms a turn of its own,
/// without a wait.
///
/// Sound as `Sendable`: everything but the constants is confined to the thread that executes ``run()``. The caller
/// of the initializer starts that thread as its last use of the driver.
///
/// For the same reason accesses to mutable state are not checked for overlap at run time
/// (`@exclusivity(unchecked)`), which would be a twentieth of a request's cost: there is one thread, libcurl's
/// callbacks run within calls to libcurl, and those calls are made outside of every access.
final class CurlDriver: @unchecked Sendable {
    let mailbox: Mailbox
    /// What the leases are doing.
    let board = LeaseBoard()
    private let membership = PoolCensus.join()
    let executor: DriverExecutor
    /// The transport settings of every request.
    let options: TransportOptions
    let settings: PoolSettings
    let events: EventQueue
    let multi: UnsafeMutableRawPointer
    @exclusivity(unchecked) var machine: PoolStateMachine
    @exclusivity(unchecked) var sockets = SocketTable()
    /// Indexed by slot number.
    @exclusivity(unchecked) var slots: [CurlSlot?] = []
    /// Indexed by request number.
    @exclusivity(unchecked) var exchanges: [Exchange?] = []
    /// Idle transfers that are attached to no connection.
    @exclusivity(unchecked) var spare: [CurlTransfer] = []
    /// When ``freeIdleHandles()`` is due.
    @exclusivity(unchecked) var idleHandlesDue: MonotonicTime?
    /// Transfers assigned to a connection that is already in use, and that may find no free stream on it.
    @exclusivity(unchecked) var joining: [CurlTransfer] = []
    /// Transfers from `joining` that ``settleJoins()`` is examining, first one last.
    @exclusivity(unchecked) var settling: [CurlTransfer] = []
    /// Slots that wait for the addresses of a name.
    @exclusivity(unchecked) var nameWaits = NameWaits()
    /// Connection attempts to peers with several addresses.
    @exclusivity(unchecked) var races: [SlotID: Race] = [:]
    /// Addresses that recently failed to connect.
    @exclusivity(unchecked) var addressHistory = AddressHistory()
    let resolver: Resolver
    /// Buffers in which responses are assembled.
    @exclusivity(unchecked) var buffers = ResponseBuffers()
    /// Actions that could not be performed at once; see ``performLater(_:)``.
    @exclusivity(unchecked) var deferred: [PoolAction] = []
    /// The deferred actions being performed. Swapped with `deferred`, so that both keep their memory.
    @exclusivity(unchecked) var performing: [PoolAction] = []
    /// Exchanges whose head arrived in this turn.
    @exclusivity(unchecked) var headsArrived: [Exchange] = []
    /// Exchanges of which parts of the body arrived in this turn.
    @exclusivity(unchecked) var streaming: [Exchange] = []
    /// Exchanges that finished in this turn. They are resumed at its end.
    @exclusivity(unchecked) var finished: [Exchange] = []
    /// Callers of `reconfigure` to resume at the end of this turn.
    @exclusivity(unchecked) private var reconfigured: [UnsafeContinuation<Void, any Error>] = []
    @exclusivity(unchecked) private var shutdownWaiters: [UnsafeContinuation<Void, Never>] = []
    @exclusivity(unchecked) private var observer: (any PoolObserver)?
    /// The time used for inputs and deadlines. Updated by ``readClock()`` only.
    @exclusivity(unchecked) private(set) var now = MonotonicTime.now()
    /// When the driver began to work on the current turn.
    @exclusivity(unchecked) private var turnBegan = MonotonicTime.now()
    /// How many times all sockets have been polled.
    @exclusivity(unchecked) var polls = 0
    /// Connections that became idle since the last poll.
    @exclusivity(unchecked) var freshlyIdle = 0
    @exclusivity(unchecked) var idleEvents = EventQueue.Happened()
    @exclusivity(unchecked) private var lateEvents = EventQueue.Happened()
    /// Exchanges whose response completed before their request.
    @exclusivity(unchecked) var early: [EarlyResponse] = []
    /// Transfers whose head arrived before their request was sent, or that resumed receiving since; see
    /// ``examineEarlyHeads()``.
    @exclusivity(unchecked) var earlyHeads: [CurlTransfer] = []
    /// Writable connections on which the pending upload cannot proceed, with the time at which waiting for
    /// writability resumes.
    @exclusivity(unchecked) var writeStalls: [WriteStall] = []
    /// Transfers whose request body the peer no longer wants.
    @exclusivity(unchecked) var refusedUploads: [CurlTransfer] = []
    /// When libcurl's timer expires.
    @exclusivity(unchecked) var curlTimer: MonotonicTime?

    /// - Throws: ``PoolError`` with code `outOfResources`.
    init(_ settings: PoolSettings, _ options: TransportOptions, _ resolver: Resolver) throws(PoolError) {
        guard Libcurl.backend != nil, let multi = curl_multi_init() else {
            throw PoolError(.outOfResources, "libcurl could not be initialized", phase: .submit)
        }
        do throws(PoolError) {
            events = try EventQueue()
        } catch {
            curl_multi_cleanup(multi)
            throw error
        }
        self.multi = multi
        self.settings = settings
        self.options = options
        self.resolver = resolver
        mailbox = Mailbox(waker: events.waker)
        executor = DriverExecutor { [mailbox] in mailbox.wakeDriver() }
        machine = PoolStateMachine(rules: PoolRules(settings.configuration), board: board)
        // Sound: the thread retains the driver until it has cleaned up the multi handle.
        let me = Unmanaged.passUnretained(self).toOpaque()
        // A backstop: the limit applies per share, and each share holds one connection.
        poolscope_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 1)
        // Only the peer's limit applies.
        poolscope_multi_set_long(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, Int(Int32.max))
        poolscope_multi_set_pointer(multi, CURLMOPT_SOCKETDATA, me)
        poolscope_multi_set_socket_function(multi) { easy, descriptor, what, data, _ in
            guard let data else { return 0 }
            Unmanaged<CurlDriver>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.watch(descriptor, what, for: easy) }
            return 0
        }
        poolscope_multi_set_pointer(multi, CURLMOPT_TIMERDATA, me)
        poolscope_multi_set_timer_function(multi) { _, milliseconds, data in
            guard let data else { return 0 }
            Unmanaged<CurlDriver>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.setTimer(milliseconds) }
            return 0
        }
    }

    // MARK: Turns

    /// Runs turns until a shutdown has completed. Must be called once, on the driver's own thread.
    func run() {
        executor.begin()
        var happened = EventQueue.Happened()
        while !machine.isDrained {
            let deadline = nextDeadline()
            readClock()
            let mayWait = mailbox.prepareToSleep(at: now, hasJobs: executor.hasJobs)
            wait(until: mayWait ? deadline : now, into: &happened)
            handle(happened.events)
            turnBegan = now
            gather(&happened)
            turn()
            // Sends what callers on this thread submitted in reaction to their responses before waiting again: the
            // more is sent and received at once, the fewer threads have to be woken.
            if executor.runJobs() {
                readClock()
                turn()
            }
        }
        tearDown()
    }

    /// Updates ``now``. Called wherever time may have passed: after every wait, before deciding whether to sleep,
    /// after callers' jobs have run, and when a connection becomes ready or a transfer ends, because callers
    /// measure those times. Between these points, the turn's own work takes too little time to affect a deadline or
    /// a level.
    func readClock() { now = MonotonicTime.now() }

    /// Sockets are handled before submissions, so that an idle connection which became readable is removed before a
    /// request could be assigned to it.
    private func handle(_ happened: [EventQueue.Event]) {
        readClock()
        polls += 1
        freshlyIdle = 0
        for event in happened { handle(event) }
    }

    /// Keeps handling events while more are available, so that callers are not woken one by one: waking a caller is
    /// most of what a response costs beyond libcurl. Bounded in responses and in time, which limits the delay of
    /// the first.
    ///
    /// The mailbox is not taken meanwhile: a scrape sees the last batch only until the next one is taken, by which
    /// time the last one must have been reported.
    private func gather(_ happened: inout EventQueue.Happened) {
        let end = now + Self.gatheringPeriod
        while !happened.events.isEmpty, now < end, machine.requestCount > 0,
            headsArrived.count + streaming.count < Self.fewResponses
        {
            work()
            wait(until: now, into: &happened)
            handle(happened.events)
        }
    }

    private static let fewResponses = 8
    /// In nanoseconds.
    private static let gatheringPeriod: UInt64 = 500_000

    private func turn() {
        takeFromMailbox()
        advanceRaces()
        work()
        endEarlyResponses()
        endWriteStalls()
        if let deadline = machine.nextDeadline(), deadline <= now { letTimePass() }
        freeIdleHandles()
        publish()
    }

    /// Reads all readable sockets before expiring deadlines. The thread may be late: the process was paused, a task
    /// on this thread blocked, or more sockets were readable than one wait reports. A response that has already
    /// arrived must not time out because of that.
    private func letTimePass() {
        var moment = now
        // epoll reports ready descriptors in rotation, so these waits together cover all of them.
        for _ in 0...sockets.count / EventQueue.Happened.capacity {
            moment = MonotonicTime.now()
            wait(until: moment, into: &lateEvents)
            handle(lateEvents.events)
            work()
            guard lateEvents.isFull else { break }
        }
        perform(machine.timePassed(to: moment))
        work()
    }

    /// Up to this many idle connections are checked individually; more are polled together.
    private static let fewIdle = 2

    private func nextDeadline() -> MonotonicTime? {
        earlier(
            earlier(earlier(machine.nextDeadline(), nextRaceDue()), earlier(curlTimer, idleHandlesDue)),
            earlier(early.isEmpty ? nil : nextEarlyDue(), writeStalls.first?.due)
        )
    }

    private func takeFromMailbox() {
        guard let batch = mailbox.take(at: now, &observer) else { return }
        if min(freshlyIdle, batch.submissions.count) > Self.fewIdle { pollIdleConnections() }
        for exchange in batch.submissions {
            let submission = machine.submit(exchange.forStateMachine, at: now)
            let id = submission.id
            exchange.id = id
            while exchanges.count <= id { exchanges.append(nil) }
            exchanges[id] = exchange
            perform(submission.takeActions())
        }
        for exchange in batch.cancellations {
            guard let id = exchange.id else { continue }
            perform(machine.end(id, exchange.isResponseRefused ? .responseRefused : .cancelled, at: now))
        }
        for exchange in batch.nudges { nudged(exchange) }
        for command in batch.commands {
            switch command {
            case .shutDown(let policy, let waiter):
                if let waiter { shutdownWaiters.append(waiter) }
                perform(machine.beginShutdown(policy, at: now))
            case .reconfigure(let configuration, let waiter):
                settings.configuration = configuration
                perform(machine.reconfigure(configuration, at: now))
                reconfigured.append(waiter)
            case .lookedUp(let ended): lookedUp(ended)
            }
        }
    }

    /// The caller has read from the response's body or written to the request's body.
    private func nudged(_ exchange: Exchange) {
        guard let id = exchange.id else { return }
        if exchange.upload.failure != nil {
            perform(machine.end(id, .bodyFailed, at: now))
        } else {
            exchange.transfer?.goOn()
        }
    }

    /// Reports the turn to the observer, then the results to the callers.
    private func publish() {
        machine.endTurn(at: now, began: turnBegan, reportingTo: observer)
        if !headsArrived.isEmpty {
            // Unfinished exchanges: the caller gets the response now, with the rest of its body as a stream.
            for exchange in headsArrived where exchange.id != nil { exchange.deliverHead() }
            headsArrived.removeAll(keepingCapacity: true)
        }
        if !streaming.isEmpty {
            for exchange in streaming { exchange.caller.stream?.wake() }
            streaming.removeAll(keepingCapacity: true)
        }
        if !finished.isEmpty {
            for exchange in finished { exchange.finish() }
            finished.removeAll(keepingCapacity: true)
        }
        if !reconfigured.isEmpty {
            for waiter in reconfigured { waiter.resume() }
            reconfigured.removeAll()
        }
    }

    /// Releases all resources of a driver whose thread could not be started.
    func abandon() {
        curl_multi_cleanup(multi)
        events.close()
    }

    private func tearDown() {
        for slot in slots {
            _ = slot?.giveUpTransfer()
            slot?.dropConnection()
        }
        slots.removeAll()
        spare.removeAll()
        curl_multi_cleanup(multi)
        // This thread retains them for a moment longer, but a shutdown that has returned leaves no descriptor open.
        options.close()
        let (late, observer) = mailbox.end()
        events.close()
        for exchange in late.submissions {
            exchange.caller.settle(.failure(failure(of: exchange, .shutdown)))
            mailbox.report(Refusal(exchange, lastNumber: exchange.number), to: observer)
            exchange.upload.close()
            exchange.finish()
        }
        executor.end()
        membership.end()
        for command in late.commands {
            switch command {
            case .shutDown(_, let waiter): if let waiter { shutdownWaiters.append(waiter) }
            case .reconfigure(_, let waiter): waiter.resume(throwing: Self.isShutDown)
            case .lookedUp: break
            }
        }
        for waiter in shutdownWaiters { waiter.resume() }
    }
}

/// The earlier of two times; `nil` if both are `nil`.
private func earlier(_ one: MonotonicTime?, _ other: MonotonicTime?) -> MonotonicTime? {
    guard let one, let other else { return one ?? other }
    return min(one, other)
}
