import CLibcurl
import Glibc
import HTTPPool
import PoolDecisions

/// Carries out what the state machine decided, and reports to it what libcurl made of that.
extension CurlDriver {
    // MARK: libcurl

    func setTimer(_ milliseconds: Int) {
        curlTimer = milliseconds < 0 ? nil : now + UInt64(milliseconds) * 1_000_000
    }

    /// Lets libcurl do what it can do at once, and lets those go elsewhere that found no room on a connection.
    func work() {
        repeat {
            performDeferred()
            letCurlWork()
        } while settleJoins()
    }

    /// The most calls in a row. One is the rule; what is left then is for the next turn, so that nothing that libcurl asks
    /// for can keep deadlines and the mailbox waiting.
    private static let mostCalls = 64

    /// Calls libcurl for as long as it has something to do at once. A transfer that was just added is one.
    private func letCurlWork() {
        var calls = 0
        while let timer = curlTimer, timer <= now, calls < Self.mostCalls {
            calls += 1
            curlTimer = nil
            var running: Int32 = 0
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running)
            collect()
        }
    }

    /// Does what libcurl's callbacks made the machine decide, and takes the transfers that have ended. In this order: a
    /// transfer that is to be stopped has nothing to say any more.
    func collect() {
        performDeferred()
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            let code = poolscope_message_result(message)
            guard let transfer = transfer(of: easy) else { continue }
            ended(transfer, transfer.result(code))
        }
        if !refusedUploads.isEmpty { stopRefusedUploads() }
    }

    /// Sound: the pointer is the transfer's own, and the driver holds all transfers.
    func transfer(of easy: UnsafeMutableRawPointer) -> CurlTransfer? {
        var owner: UnsafeMutablePointer<CChar>?
        guard poolscope_easy_get_private(easy, &owner) == CURLE_OK, let owner else { return nil }
        return Unmanaged<CurlTransfer>.fromOpaque(owner).takeUnretainedValue()
    }

    /// - Parameter isOver: whether libcurl has ended it, and knows the connection that it kept.
    func ended(_ transfer: CurlTransfer, _ result: CURLcode, isOver: Bool = true) {
        guard let exchange = transfer.exchange, let slot = transfer.slot else { return }
        // libcurl takes a head that is cut off for a response without a body.
        let isWithoutAlert = result == CURLE_OK && transfer.isWithoutClosingAlert
        let isCutOff = isWithoutAlert || result == CURLE_OK && !exchange.response.head.isComplete
        let result = isCutOff ? CURLE_RECV_ERROR : result
        let isWhole = result == CURLE_OK || transfer.isRefusedExpectation(result)
        let error = isWhole ? nil : isWithoutAlert ? Self.withoutClosingAlert : transfer.error(result)
        if isOver { noteConnection(of: transfer, slot) }
        transfer.stop(in: multi)
        if !isOver, !slot.isMultiplexed, let half = slot.connection {
            // It is closed with the transfer, at once or in libcurl's own time.
            sockets.abandon(half)
            slot.connection = nil
        }
        if result != CURLE_OK { failedToOpen(transfer) }
        let ending = transfer.ending(result)
        if ending == .complete(keepAlive: true), let seconds = exchange.response.head.framing.keepAliveSeconds {
            machine.announced(keepAlive: UInt64(seconds) * 1_000_000_000, by: slot.id)
        }
        release(transfer, from: slot)
        if !slot.isRunning {
            slot.idleSincePoll = polls
            slot.idleSince = now
            freshlyIdle += 1
            expectIdleHandles()
            listen(to: slot)
        } else if slot.isHeld, let connection = slot.connection {
            hold(connection)
        }
        readClock()
        perform(endTransfer(of: exchange, ending, error: error))
    }

    /// Asks libcurl which connection it kept. It knows from the end of the transfer until the handle is removed.
    ///
    /// Later versions close a connection over TLS in their own time, and its socket is open until then, though it is not
    /// the slot's any more. Of a connection that other transfers are on, libcurl says nothing.
    private func noteConnection(of transfer: CurlTransfer, _ slot: CurlSlot) {
        if slot.connection == nil || Self.closesGracefully && transfer.wasSent && slot.runningCount == 1 {
            let kept = transfer.openConnection
            if let old = slot.connection, old != kept { sockets.abandon(old) }
            slot.connection = kept
        }
        for descriptor in transfer.opened where descriptor != slot.connection {
            if sockets[descriptor].slot == slot.id { sockets.abandon(descriptor) }
        }
    }

    private static let closesGracefully = LibcurlVersion.loaded >= .closesGracefully

    /// The transfer is over: the slot's own waits for the next request, another is put aside.
    private func release(_ transfer: CurlTransfer, from slot: CurlSlot) {
        transfer.exchange = nil
        if let unused = transfer.takeConnected() { closeSocket(unused) }
        // One that ended while it tried to share a connection may have begun something else when that is looked at.
        if !joining.isEmpty { joining.removeAll { $0 === transfer } }
        if !settling.isEmpty { settling.removeAll { $0 === transfer } }
        guard transfer !== slot.transfer else { return }
        slot.remove(transfer)
        putAside(transfer)
    }

    // MARK: What libcurl reports
    //
    // These come from within libcurl's calls, where no transfer may be started, stopped or closed: what they make the state
    // machine decide is done when the call has returned.

    /// A new connection is usable, and the request is about to be sent.
    func connectionReady(_ transfer: CurlTransfer) {
        guard let slot = transfer.slot, let exchange = transfer.exchange else { return }
        readClock()
        slot.speaksTLS = exchange.request.address.isSecure || options.proxies.speaksTLS(to: exchange.request.origin)
        performLater(machine.connectionReady(slot.id, at: now))
    }

    /// The transfer has a stream of the connection that it was to share.
    func joined(_ transfer: CurlTransfer) {
        guard let id = transfer.exchange?.id, let slot = transfer.slot else { return }
        slot.isMultiplexed = true
        joining.removeAll { $0 === transfer }
        performLater(machine.joined(id, at: now))
    }

    /// The first line of a response has come.
    func responseBegan(_ transfer: CurlTransfer, _ line: UnsafeBufferPointer<UInt8>) {
        guard options.mayMultiplex, transfer.start == .open, let slot = transfer.slot else { return }
        // HTTP/2 is negotiated over TLS only. Any other peer that names it speaks HTTP/1.1 all the same.
        let isMultiplexed = transfer.address?.isSecure == true && line.starts(with: "HTTP/2".utf8)
        slot.isMultiplexed = isMultiplexed
        performLater(machine.responseBegan(slot.id, isMultiplexed: isMultiplexed, at: now))
    }

    func headArrived(_ exchange: Exchange) { headsArrived.append(exchange) }

    func bodyArrived(_ exchange: Exchange) {
        streaming.append(exchange)
        progressed(exchange)
    }

    func progressed(_ transfer: CurlTransfer) {
        if let exchange = transfer.exchange { progressed(exchange) }
    }

    func progressed(_ exchange: Exchange) {
        guard let id = exchange.id, let transfer = exchange.transfer else { return }
        machine.progress(id, transfer.awaiting, at: now)
    }

    /// What was waited for has changed.
    func awaits(_ transfer: CurlTransfer) {
        guard let id = transfer.exchange?.id else { return }
        machine.awaits(id, transfer.awaiting, at: now)
    }

    // MARK: What the state machine decided

    /// Does what an input has decided, and all that is still to be done before and because of it. Not from within a call of
    /// libcurl's, and not from within an action: ``performLater(_:)`` is for these.
    func perform(_ actions: consuming PoolActions) {
        guard deferred.isEmpty else {
            performLater(actions)
            return performDeferred()
        }
        guard !actions.list.isEmpty else { return }
        for index in actions.list.indices { perform(actions.list[index]) }
        machine.recycle(actions)
        performDeferred()
    }

    /// Keeps what an input has decided until ``performDeferred()``: the input came from within a call of libcurl's, or from
    /// within an action. Actions are done in the order in which they were decided, because each of them relies on those
    /// before it; a slot, for instance, may be opened again that an earlier action closes.
    func performLater(_ actions: consuming PoolActions) {
        guard !actions.list.isEmpty else { return }
        machine.recycle(actions.append(to: &deferred))
    }

    /// Does what was deferred. Doing one thing can fail and make the state machine decide again.
    func performDeferred() {
        while !deferred.isEmpty {
            swap(&deferred, &performing)
            for action in performing { perform(action) }
            performing.removeAll(keepingCapacity: true)
        }
    }

    private func perform(_ action: PoolAction) {
        switch action {
        case .open(let slot, let request): open(slot, request)
        case .reuse(let slot, let request): reuse(slot, request)
        case .join(let slot, let request): join(slot, request)
        case .stop(let slot, let request): stop(slot, request)
        case .close(let slot): close(slot)
        case .fail(let request, let failure):
            guard let exchange = exchanges[request] else { return }
            exchange.result = .failure(self.failure(of: exchange, failure))
            finish(exchange, request)
        }
    }

    private func open(_ id: SlotID, _ request: RequestID) {
        guard let exchange = exchanges[request] else { return }
        guard let peer = options.proxies.peer(of: exchange.request.origin) else {
            return open(id, exchange, to: nil)
        }
        lookUp(for: NameWaits.Opener(slot: id, request: request, peer: peer), exchange)
    }

    /// - Parameter peer: what was looked up; `nil` where nothing had to be.
    func open(_ id: SlotID, _ exchange: Exchange, to peer: ReachedPeer?) {
        do throws(PoolError) {
            try run(exchange, .open, on: slot(id), to: peer)
        } catch {
            if let socket = peer?.socket { closeSocket(socket) }
            failedToBegin(exchange, .broken(.other), error: error)
        }
    }

    private func reuse(_ id: SlotID, _ request: RequestID) {
        guard let exchange = exchanges[request], let slot = slots[id] else { return }
        if !slot.isMultiplexed, slot.idleSincePoll == polls, let connection = slot.connection,
            let reason = IdleConnection.ending(of: connection, speaksTLS: slot.speaksTLS)
        {
            // It went from one request to the next, and epoll has not been asked about it in between.
            failedToBegin(exchange, .stale(sent: false, reason), error: Self.connectionDied)
            return
        }
        do throws(PoolError) {
            let transfer = try run(exchange, .reuse, on: slot)
            // The connection may have said that it takes no further request. Then this one finds no room on it.
            if slot.isMultiplexed, transfer.isRunning { joining.append(transfer) }
        } catch {
            failedToBegin(exchange, .broken(.other), error: error)
        }
    }

    /// Hands the exchange to libcurl with the slot's own transfer.
    @discardableResult
    private func run(
        _ exchange: Exchange,
        _ start: CurlTransfer.Start,
        on slot: CurlSlot,
        to peer: ReachedPeer? = nil
    ) throws(PoolError) -> CurlTransfer {
        let transfer = try idleTransfer(slot.transfer)
        if start == .open { transfer.prepareToOpen(to: peer) }
        if !slot.take(transfer) || !transfer.run(exchange, start, in: multi) { refused(exchange, transfer) }
        return transfer
    }

    private func join(_ id: SlotID, _ request: RequestID) {
        guard let exchange = exchanges[request], let slot = slots[id] else { return }
        do throws(PoolError) {
            let own = slot.transfer.flatMap { $0.isRunning ? nil : $0 }
            let transfer = try idleTransfer(own)
            if transfer !== own, !slot.add(transfer) {
                putAside(transfer)
                failedToBegin(exchange, .broken(.other), error: nil)
            } else if transfer.run(exchange, .join, in: multi) {
                joining.append(transfer)
            } else {
                refused(exchange, transfer)
            }
        } catch {
            failedToBegin(exchange, .broken(.other), error: error)
        }
    }

    /// libcurl does not take the request as it is.
    private func refused(_ exchange: Exchange, _ transfer: CurlTransfer) {
        if let slot = transfer.slot { release(transfer, from: slot) }
        let error = PoolError(.invalidRequest, "the address cannot be requested", phase: .submit)
        failedToBegin(exchange, .broken(.other), error: error)
    }

    /// Those that were put on a connection and have no stream by now found no room there.
    ///
    /// - Returns: whether there were any, so that libcurl may have something to do again.
    private func settleJoins() -> Bool {
        guard !joining.isEmpty else { return false }
        settling = joining.reversed()
        joining.removeAll(keepingCapacity: true)
        while let transfer = settling.popLast() {
            guard transfer.isRunning, !transfer.wasSent, let exchange = transfer.exchange, let slot = transfer.slot
            else {
                continue
            }
            transfer.stop(in: multi)
            release(transfer, from: slot)
            if transfer.start == .reuse {
                perform(endTransfer(of: exchange, .stale(sent: false, .peerClosed), error: Self.connectionDied))
            } else if let id = exchange.id {
                exchange.phase = .acquire
                perform(machine.joinRefused(id, at: now))
            }
        }
        return true
    }

    private func slot(_ id: SlotID) -> CurlSlot {
        while slots.count <= id { slots.append(nil) }
        if let slot = slots[id] { return slot }
        let slot = CurlSlot(id: id)
        slots[id] = slot
        return slot
    }

    /// A transfer ended, or could not begin. Keeps its result unless the request goes on.
    private func endTransfer(of exchange: Exchange, _ ending: TransferEnding, error: PoolError?) -> PoolActions {
        guard let id = exchange.id else { return PoolActions() }
        let ended = machine.transferEnded(id, ending, at: now)
        switch ended.verdict {
        case .retry:
            exchange.phase = .acquire
            return ended.takeActions()
        case .refuse: exchange.result = .failure(describe(Self.peerRefuses, exchange))
        case .deliver:
            exchange.result = error.map { .failure(describe($0, exchange)) } ?? .success(exchange.response.take())
        }
        finish(exchange, id)
        return ended.takeActions()
    }

    /// The transfer of a request, which an action was to begin, could not be begun.
    func failedToBegin(_ exchange: Exchange, _ ending: TransferEnding, error: PoolError?) {
        performLater(endTransfer(of: exchange, ending, error: error))
    }

    private func stop(_ id: SlotID, _ request: RequestID) {
        guard let exchange = exchanges[request], let transfer = exchange.transfer, transfer.exchange === exchange,
            let slot = slots[id]
        else { return }
        transfer.stop(in: multi)
        release(transfer, from: slot)
        if !slot.isRunning { listen(to: slot) }
    }

    private func close(_ id: SlotID) {
        stopWaiting(id)
        stopRacing(id)
        guard slots.indices.contains(id), let slot = slots[id] else { return }
        if let own = slot.transfer { gaveUp(own) }
        for transfer in slot.others {
            transfer.stop(in: multi)
            release(transfer, from: slot)
        }
        if let own = slot.transfer {
            own.stop(in: multi)
            release(own, from: slot)
            _ = slot.giveUpTransfer()
            putAside(own)
        }
        slot.dropConnection()
    }

    private func finish(_ exchange: Exchange, _ id: RequestID) {
        exchange.id = nil
        exchange.upload?.close()
        if exchanges[id] === exchange { exchanges[id] = nil }
        finished.append(exchange)
    }
}
