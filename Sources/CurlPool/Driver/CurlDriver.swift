import CLibcurl
import Glibc
import HTTPPool

/// Does what the state machine decides: one thread, one epoll, one multi handle.
///
/// It works in turns: wait, hear the sockets, take what callers handed in, let libcurl work, let time pass; then tell
/// the observer once, and only then resume the callers. So whoever has an answer finds it in the numbers.
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
    let configuration: PoolConfiguration
    @exclusivity(unchecked) private var events: EventQueue
    private let multi: UnsafeMutableRawPointer
    @exclusivity(unchecked) private var machine: PoolStateMachine
    @exclusivity(unchecked) private var sockets = SocketTable()
    /// By slot number. A slot keeps its easy handle between connections.
    @exclusivity(unchecked) private var slots: [CurlSlot?] = []
    /// By request number.
    @exclusivity(unchecked) private var exchanges: [Exchange?] = []
    /// What the state machine decided and is being done.
    @exclusivity(unchecked) private var actions: [PoolAction] = []
    /// Finished in this turn, to be resumed at its end.
    @exclusivity(unchecked) private var finished: [Exchange] = []
    @exclusivity(unchecked) private var shutdownWaiters: [UnsafeContinuation<Void, Never>] = []
    @exclusivity(unchecked) private var observer: (any PoolObserver)?
    @exclusivity(unchecked) private var now = MonotonicClock.now()
    @exclusivity(unchecked) private var turnNumber = 0
    /// When libcurl wants to be called.
    @exclusivity(unchecked) private var curlTimer: MonotonicTime?

    /// - Throws: ``PoolError`` with code `outOfResources`.
    init(_ configuration: PoolConfiguration) throws(PoolError) {
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
        self.configuration = configuration
        mailbox = Mailbox(waker: events.waker)
        executor = DriverExecutor(mailbox: mailbox)
        machine = PoolStateMachine(rules: PoolRules(configuration.limits))
        // Sound: the thread holds the driver until it has cleaned up the multi handle.
        let me = Unmanaged.passUnretained(self).toOpaque()
        // A backstop: the limit applies to each share, and a share has one connection.
        poolscope_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 1)
        poolscope_multi_set_pointer(multi, CURLMOPT_SOCKETDATA, me)
        poolscope_multi_set_socket_function(multi) { _, descriptor, what, data, _ in
            guard let data else { return 0 }
            Unmanaged<CurlDriver>.fromOpaque(data).takeUnretainedValue().watch(descriptor, what)
            return 0
        }
        poolscope_multi_set_pointer(multi, CURLMOPT_TIMERDATA, me)
        poolscope_multi_set_timer_function(multi) { _, milliseconds, data in
            guard let data else { return 0 }
            Unmanaged<CurlDriver>.fromOpaque(data).takeUnretainedValue().setTimer(milliseconds)
            return 0
        }
    }

    // MARK: Turns

    /// Works until a shutdown has come to its end. Called once, on the driver's own thread.
    func run() {
        var happened: [EventQueue.Event] = []
        while !machine.isDrained {
            let deadline = nextDeadline()
            now = MonotonicClock.now()
            let mayWait = mailbox.prepareToSleep(at: now)
            events.wait(until: mayWait ? deadline : now, now: now, into: &happened)
            now = MonotonicClock.now()
            turnNumber += 1
            // Sockets first: an idle connection that spoke must be gone before somebody is given it.
            for event in happened { handle(event) }
            let jobs = takeFromMailbox()
            letCurlWork()
            if let deadline = machine.nextDeadline(), deadline <= now {
                machine.timePassed(to: now)
                perform()
                letCurlWork()
            }
            publish()
            run(jobs)
        }
        tearDown()
    }

    /// Runs parts of tasks that prefer this thread. What they submit is taken in the next turn.
    private func run(_ jobs: [UnownedJob]) {
        for job in jobs { job.runSynchronously(on: executor.asUnownedTaskExecutor()) }
    }

    private func nextDeadline() -> MonotonicTime? {
        guard let deadline = machine.nextDeadline() else { return curlTimer }
        return curlTimer.map { min($0, deadline) } ?? deadline
    }

    /// - Returns: the jobs, which are run at the end of the turn.
    private func takeFromMailbox() -> [UnownedJob] {
        let (batch, observer) = mailbox.take(at: now)
        self.observer = observer
        for exchange in batch.submissions {
            let id = machine.submit(exchange.forStateMachine, at: now)
            exchange.id = id
            while exchanges.count <= id { exchanges.append(nil) }
            exchanges[id] = exchange
            perform()
        }
        for exchange in batch.cancellations {
            guard let id = exchange.id else { continue }
            machine.cancel(id, at: now)
            perform()
        }
        for command in batch.commands {
            switch command {
            case .shutDown(let policy, let waiter):
                if let waiter { shutdownWaiters.append(waiter) }
                machine.beginShutdown(policy, at: now)
                perform()
            }
        }
        return batch.jobs
    }

    /// Tells the observer of the turn, then the callers of their results.
    private func publish() {
        machine.endTurn(at: now, telling: observer)
        guard !finished.isEmpty else { return }
        for exchange in finished { exchange.finish() }
        finished.removeAll(keepingCapacity: true)
    }

    /// Gives everything back for a driver whose thread could not be started.
    func abandon() {
        curl_multi_cleanup(multi)
        events.close()
    }

    private func tearDown() {
        for slot in slots { slot?.dropConnection() }
        slots.removeAll()
        curl_multi_cleanup(multi)
        let (late, observer) = mailbox.end()
        events.close()
        for exchange in late.submissions {
            exchange.result = .failure(failure(of: exchange, .shutdown))
            let refusal = Refusal(origin: exchange.request.origin, lastNumber: exchange.number)
            observer?.poolDidTurn(refusal.turn(at: MonotonicClock.now()))
            exchange.finish()
        }
        for job in late.jobs { executor.enqueue(ExecutorJob(job)) }
        PoolCensus.poolEnded()
        for case .shutDown(_, let waiter?) in late.commands { shutdownWaiters.append(waiter) }
        for waiter in shutdownWaiters { waiter.resume() }
    }

    // MARK: Sockets

    private func handle(_ event: EventQueue.Event) {
        guard let descriptor = sockets.descriptor(of: event.tag) else { return }
        let slot = slots.indices.contains(sockets[descriptor].slot) ? slots[sockets[descriptor].slot] : nil
        if let slot, !slot.isRunning {
            if slot.connection == descriptor { idleConnectionSpoke(slot, descriptor) }
            return
        }
        var bits: Int32 = 0
        if !event.happened.isDisjoint(with: [.read, .peerClosed, .hangUp]) { bits |= CURL_CSELECT_IN }
        if event.happened.contains(.write) { bits |= CURL_CSELECT_OUT }
        if event.happened.contains(.failure) { bits |= CURL_CSELECT_ERR }
        // Bytes moved, one way or the other.
        if let slot { progressed(slot) }
        var running: Int32 = 0
        curl_multi_socket_action(multi, descriptor, bits, &running)
        collect()
    }

    private func idleConnectionSpoke(_ slot: CurlSlot, _ descriptor: Int32) {
        machine.idleConnectionSpoke(slot.id, Self.whatItSaid(descriptor) ?? .peerClosed, at: now)
        perform()
    }

    /// Why an idle connection is readable: it ended, or it says something that nobody had asked for. `nil`: it is not.
    private static func whatItSaid(_ descriptor: Int32) -> CloseReason? {
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
        if count < 0, errno == EAGAIN { return nil }
        guard count > 0 else { return .peerClosed }
        // TLS says good-bye in bytes of its own before the peer closes.
        var state = pollfd(
            fd: descriptor,
            events: Int16(truncatingIfNeeded: EventQueue.Interest.peerClosed.rawValue),
            revents: 0
        )
        let isClosing = poll(&state, 1, 0) > 0 && state.revents != 0
        return isClosing && byte == tlsAlert ? .peerClosed : .unexpectedData
    }

    /// The content type of a TLS alert (RFC 8446, 5.1), as the first byte of a record.
    private static let tlsAlert: UInt8 = 21

    /// libcurl says what it waits for. A descriptor stays registered when libcurl has had enough of it: its connection
    /// is idle from then on, and is listened to.
    private func watch(_ descriptor: Int32, _ what: Int32) {
        let interest: EventQueue.Interest
        switch what {
        case CURL_POLL_IN: interest = [.read, .peerClosed]
        case CURL_POLL_OUT: interest = [.write]
        case CURL_POLL_INOUT: interest = [.read, .write, .peerClosed]
        default:
            // A socket that is no connection of ours (the resolver's) is closed by libcurl in its own time.
            if sockets[descriptor].slot < 0 {
                events.forget(descriptor)
                sockets.close(descriptor)
            }
            return
        }
        register(descriptor, interest)
    }

    private func register(_ descriptor: Int32, _ interest: EventQueue.Interest) {
        let known = sockets[descriptor]
        guard known.interest != interest else { return }
        let isKnown = !known.interest.isEmpty
        if events.register(descriptor, interest, tag: sockets.tag(of: descriptor), isKnown: isKnown) {
            sockets.set(descriptor, slot: known.slot, interest: interest)
        }
    }

    /// A slot opened a socket: from now on its events are the slot's.
    func socketOpened(_ descriptor: Int32, for slot: CurlSlot) {
        sockets.close(descriptor)
        sockets.set(descriptor, slot: slot.id, interest: [])
    }

    /// libcurl closes a socket that had connected.
    func socketCloses(_ descriptor: Int32) {
        let id = sockets[descriptor].slot
        if slots.indices.contains(id), let slot = slots[id], slot.connection == descriptor { slot.connection = nil }
        sockets.close(descriptor)
    }

    // MARK: libcurl

    private func setTimer(_ milliseconds: Int) {
        curlTimer = milliseconds < 0 ? nil : now + UInt64(milliseconds) * 1_000_000
    }

    /// Calls libcurl for as long as it has something to do at once. A transfer that was just added is one.
    private func letCurlWork() {
        while let timer = curlTimer, timer <= now {
            curlTimer = nil
            var running: Int32 = 0
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running)
            collect()
        }
    }

    /// Takes the transfers that have ended.
    private func collect() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            let result = poolscope_message_result(message)
            var owner: UnsafeMutablePointer<CChar>?
            guard poolscope_easy_get_private(easy, &owner) == CURLE_OK, let owner else { continue }
            // Sound: the pointer is the slot's own, and the slot is in `slots`.
            ended(Unmanaged<CurlSlot>.fromOpaque(owner).takeUnretainedValue(), result)
        }
    }

    private func ended(_ slot: CurlSlot, _ result: CURLcode) {
        guard let exchange = slot.exchange else { return }
        let error = result == CURLE_OK ? nil : slot.error(result)
        slot.stop(in: multi)
        let ending = slot.ending(result)
        slot.exchange = nil
        slot.idleSinceTurn = turnNumber
        if case .complete(keepAlive: true) = ending, let connection = slot.connection {
            register(connection, [.read, .peerClosed])
        }
        now = MonotonicClock.now()
        transferEnded(slot.id, ending, exchange, error: error)
        perform()
    }

    /// A new connection is usable, and the request is about to be sent.
    func connectionReady(_ slot: CurlSlot) {
        now = MonotonicClock.now()
        machine.connectionReady(slot.id, at: now)
    }

    func progressed(_ slot: CurlSlot) { machine.progress(slot.id, isUploading: slot.isUploading, at: now) }

    // MARK: What the state machine decided

    private func perform() {
        // Doing one thing can fail and make the machine decide again.
        while machine.handOver(&actions) {
            for action in actions {
                switch action {
                case .open(let slot, let request): start(request, on: slot, isReuse: false)
                case .reuse(let slot, let request): start(request, on: slot, isReuse: true)
                case .close(let slot): close(slot)
                case .fail(let request, let failure):
                    guard let exchange = exchanges[request] else { continue }
                    exchange.result = .failure(self.failure(of: exchange, failure))
                    finish(exchange, request)
                }
            }
        }
    }

    private func start(_ request: RequestID, on id: SlotID, isReuse: Bool) {
        guard let exchange = exchanges[request] else { return }
        do throws(PoolError) {
            let slot = try slot(id)
            if isReuse, slot.idleSinceTurn == turnNumber, let connection = slot.connection,
                let reason = Self.whatItSaid(connection)
            {
                // It went from one request to the next within the turn, and epoll has not been asked about it.
                transferEnded(slot.id, .stale(sent: false, reason), exchange, error: Self.connectionDied)
                return
            }
            if slot.start(exchange, isReuse: isReuse, in: multi) { return }
            slot.exchange = nil
            let error = PoolError(.invalidRequest, "libcurl refuses the request", phase: .submit)
            transferEnded(id, .broken(.other), exchange, error: error)
        } catch {
            transferEnded(id, .broken(.other), exchange, error: error)
        }
    }

    private func slot(_ id: SlotID) throws(PoolError) -> CurlSlot {
        while slots.count <= id { slots.append(nil) }
        if let slot = slots[id] { return slot }
        let slot = try CurlSlot(id: id, driver: self)
        slots[id] = slot
        return slot
    }

    /// Tells the machine of a transfer that ended, and keeps the result unless the request goes on.
    private func transferEnded(_ slot: SlotID, _ ending: TransferEnding, _ exchange: Exchange, error: PoolError?) {
        guard let id = exchange.id else { return }
        guard machine.transferEnded(slot, ending, at: now) == .deliver else { return }
        exchange.result = error.map { .failure(describe($0, exchange)) } ?? .success(exchange.response)
        finish(exchange, id)
    }

    private func close(_ id: SlotID) {
        guard slots.indices.contains(id), let slot = slots[id] else { return }
        slot.stop(in: multi)
        slot.exchange = nil
        slot.dropConnection()
    }

    private func finish(_ exchange: Exchange, _ id: RequestID) {
        exchange.id = nil
        if exchanges[id] === exchange { exchanges[id] = nil }
        finished.append(exchange)
    }
}
