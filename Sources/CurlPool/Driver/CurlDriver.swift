import CLibcurl
import Glibc
import HTTPPool
import PoolDecisions

/// Does what the state machine decides: one thread, one epoll, one multi handle.
///
/// It works in turns: wait, handle the sockets' events, take what callers handed in, let libcurl work, let time pass; then
/// report to the observer once, and only then resume the callers. So whoever has a response finds it in the numbers. Callers
/// that run on this thread get theirs then, and what they hand in is a turn of its own, without a wait.
///
/// Sound as `Sendable`: everything but the constants belongs to the thread that ``run()`` runs on; the
/// thread is started by the initialiser's caller as the last thing it does with the driver.
///
/// The same is why accesses to what changes are not checked for overlap at run time (`@exclusivity(unchecked)`), which
/// would be a twentieth of what a request costs: there is one thread, libcurl's callbacks come from within libcurl's
/// calls, and these are made outside of every access.
final class CurlDriver: @unchecked Sendable {
    let mailbox: Mailbox
    let executor: DriverExecutor
    /// How its requests travel.
    let options: TransportOptions
    let settings: PoolSettings
    let events: EventQueue
    let multi: UnsafeMutableRawPointer
    @exclusivity(unchecked) var machine: PoolStateMachine
    @exclusivity(unchecked) var sockets = SocketTable()
    /// By slot number.
    @exclusivity(unchecked) var slots: [CurlSlot?] = []
    /// By request number.
    @exclusivity(unchecked) var exchanges: [Exchange?] = []
    /// Transfers that are on no connection.
    @exclusivity(unchecked) var spare: [CurlTransfer] = []
    /// When ``freeIdleHandles()`` has something to do.
    @exclusivity(unchecked) var idleHandlesDue: MonotonicTime?
    /// Transfers that were put on a connection which others are on, and may find no room there.
    @exclusivity(unchecked) var joining: [CurlTransfer] = []
    /// Those of them that are being looked at, the first one last.
    @exclusivity(unchecked) var settling: [CurlTransfer] = []
    /// Connections that wait for the addresses of a name.
    @exclusivity(unchecked) var nameWaits = NameWaits()
    /// Connections that are being opened to one of several addresses.
    @exclusivity(unchecked) var races: [SlotID: Race] = [:]
    /// Which addresses did not connect of late.
    @exclusivity(unchecked) var addressHistory = AddressHistory()
    let resolver: Resolver
    /// What responses are gathered in.
    @exclusivity(unchecked) var buffers = ResponseBuffers()
    /// Actions that could not be done at once: see ``performLater(_:)``.
    @exclusivity(unchecked) var deferred: [PoolAction] = []
    /// Memory for them, where they are done.
    @exclusivity(unchecked) var performing: [PoolAction] = []
    /// Their heads arrived in this turn.
    @exclusivity(unchecked) var headsArrived: [Exchange] = []
    /// Parts of their bodies arrived in this turn.
    @exclusivity(unchecked) var streaming: [Exchange] = []
    /// Finished in this turn, to be resumed at its end.
    @exclusivity(unchecked) var finished: [Exchange] = []
    /// Limits that were changed in this turn.
    @exclusivity(unchecked) private var reconfigured: [UnsafeContinuation<Void, any Error>] = []
    @exclusivity(unchecked) private var shutdownWaiters: [UnsafeContinuation<Void, Never>] = []
    @exclusivity(unchecked) private var observer: (any PoolObserver)?
    /// The moment that inputs and deadlines are reckoned with, from one ``readClock()`` to the next.
    @exclusivity(unchecked) private(set) var now = MonotonicTime.now()
    /// How often all sockets were polled.
    @exclusivity(unchecked) var polls = 0
    /// Connections that became idle since they were.
    @exclusivity(unchecked) var freshlyIdle = 0
    @exclusivity(unchecked) var idleEvents = EventQueue.Happened()
    @exclusivity(unchecked) private var lateEvents = EventQueue.Happened()
    /// Responses that are whole before their request is.
    @exclusivity(unchecked) var early: [EarlyResponse] = []
    /// Connections that can be written to, but not by what waits: until when they are not asked about it.
    @exclusivity(unchecked) var writeStalls: [WriteStall] = []
    /// Transfers whose body the peer does not want any more.
    @exclusivity(unchecked) var refusedUploads: [CurlTransfer] = []
    /// When libcurl wants to be called.
    @exclusivity(unchecked) var curlTimer: MonotonicTime?

    /// - Throws: ``PoolError`` with code `outOfResources`.
    init(_ settings: PoolSettings, _ options: TransportOptions, _ resolver: Resolver) throws(PoolError) {
        guard Libcurl.backend != nil, let multi = curl_multi_init() else {
            throw PoolError(.outOfResources, "libcurl could not be set up", phase: .submit)
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
        machine = PoolStateMachine(rules: PoolRules(settings.configuration))
        // Sound: the thread holds the driver until it has cleaned up the multi handle.
        let me = Unmanaged.passUnretained(self).toOpaque()
        // A backstop: the limit applies to each share, and a share has one connection.
        poolscope_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 1)
        // What the peer allows is what counts.
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

    /// Works until a shutdown has come to its end. Called once, on the driver's own thread.
    func run() {
        executor.begin()
        var happened = EventQueue.Happened()
        while !machine.isDrained {
            let deadline = nextDeadline()
            readClock()
            let mayWait = mailbox.prepareToSleep(at: now, hasJobs: executor.hasJobs)
            wait(until: mayWait ? deadline : now, into: &happened)
            handle(happened.events)
            gather(&happened)
            turn()
            // What callers on this thread make of their responses goes out before the thread waits again: the more is sent
            // and received at once, the fewer threads are woken.
            if executor.runJobs() {
                readClock()
                turn()
            }
        }
        tearDown()
    }

    /// Reads the clock. It is read where time may have passed since: after every wait, before the thread decides whether to
    /// sleep, after jobs of callers have run, and where a connection is ready or a transfer has ended, which callers measure.
    /// Between these points the turn's work takes no time that a deadline or a level could depend on.
    func readClock() { now = MonotonicTime.now() }

    /// Sockets first: an idle connection that is readable must be gone before a request is given it.
    private func handle(_ happened: [EventQueue.Event]) {
        readClock()
        polls += 1
        freshlyIdle = 0
        for event in happened { handle(event) }
    }

    /// Goes on while more events are there, so that callers are not woken one by one: to wake one is most of what a response
    /// costs beyond libcurl. But none of them waits for more than a few others, and not for long.
    ///
    /// The mailbox is not emptied meanwhile: a scrape sees what was taken last only until the next taking, by when it must
    /// have been reported.
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

    /// Reads whatever lies in the sockets, and only then lets time pass. The thread may come late: the process was paused,
    /// a task on this thread blocked, or more sockets were readable than one wait reports. A response that has arrived is
    /// not late then.
    private func letTimePass() {
        var moment = now
        // The kernel reports the sockets in turn, so that these waits together report every one.
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

    /// So many connections are asked one by one, more all at once.
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
            if exchange.isResponseRefused {
                perform(machine.responseRefused(id, at: now))
            } else {
                perform(machine.cancel(id, at: now))
            }
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

    /// The caller has read of the response, or written of the body.
    private func nudged(_ exchange: Exchange) {
        guard let id = exchange.id else { return }
        if exchange.upload?.failure != nil {
            perform(machine.bodyFailed(id, at: now))
        } else {
            exchange.transfer?.goOn()
        }
    }

    /// Reports the turn to the observer, then the results to the callers.
    private func publish() {
        machine.endTurn(at: now, reportingTo: observer)
        if !headsArrived.isEmpty {
            // Those that are not among the finished get the response now and what is left of its body as a stream.
            for exchange in headsArrived where exchange.id != nil { exchange.deliverHead() }
            headsArrived.removeAll(keepingCapacity: true)
        }
        if !streaming.isEmpty {
            for exchange in streaming { exchange.stream?.wake() }
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

    /// Gives everything back for a driver whose thread could not be started.
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
        let (late, observer) = mailbox.end()
        events.close()
        for exchange in late.submissions {
            exchange.result = .failure(failure(of: exchange, .shutdown))
            mailbox.report(Refusal(origin: exchange.request.origin, lastNumber: exchange.number), to: observer)
            exchange.upload?.close()
            exchange.finish()
        }
        executor.end()
        PoolCensus.poolEnded()
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

/// The one that comes first; `nil` where there is neither.
private func earlier(_ one: MonotonicTime?, _ other: MonotonicTime?) -> MonotonicTime? {
    guard let one, let other else { return one ?? other }
    return min(one, other)
}
