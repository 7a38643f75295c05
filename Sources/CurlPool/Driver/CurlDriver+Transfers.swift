import CLibcurl
import Glibc
import HTTPPool
import PoolDecisions

/// Performs the actions that the state machine decided, and reports their outcome to it.
extension CurlDriver {
    // MARK: libcurl

    func setTimer(_ milliseconds: Int) {
        curlTimer = milliseconds < 0 ? nil : now + UInt64(milliseconds) * 1_000_000
    }

    /// Runs libcurl until it has nothing to do at once, and returns requests that found no free stream to the state
    /// machine.
    func work() {
        repeat {
            performDeferred()
            letCurlWork()
        } while settleJoins()
        if !earlyHeads.isEmpty { examineEarlyHeads() }
    }

    /// The maximum number of consecutive calls; usually one is enough. The rest is left to the next turn, so that
    /// libcurl's timers cannot delay deadlines and the mailbox indefinitely.
    private static let mostCalls = 64

    /// Calls libcurl for as long as its timer is due. Adding a transfer makes it due at once.
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

    /// Performs the actions decided within libcurl's callbacks, then handles the transfers that have ended. In this
    /// order, so that the result of a transfer which is to be stopped is ignored.
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

    /// Sound: the pointer is the transfer's own, and the driver retains all transfers.
    func transfer(of easy: UnsafeMutableRawPointer) -> CurlTransfer? {
        var owner: UnsafeMutablePointer<CChar>?
        guard poolscope_easy_get_private(easy, &owner) == CURLE_OK, let owner else { return nil }
        return Unmanaged<CurlTransfer>.fromOpaque(owner).takeUnretainedValue()
    }

    /// Handles the end of a transfer.
    ///
    /// - Parameter isOver: whether libcurl ended the transfer itself and so knows which connection it kept.
    func ended(_ transfer: CurlTransfer, _ result: CURLcode, isOver: Bool = true) {
        guard let exchange = transfer.exchange, let slot = transfer.slot else { return }
        // libcurl treats a truncated head as a response without a body.
        let isWithoutAlert = result == CURLE_OK && transfer.isWithoutClosingAlert
        let isCutOff = isWithoutAlert || result == CURLE_OK && !exchange.response.head.isComplete
        let result = isCutOff ? CURLE_RECV_ERROR : result
        let isWhole = result == CURLE_OK || transfer.isRefusedExpectation(result)
        let error = isWhole ? nil : isWithoutAlert ? Self.withoutClosingAlert : transfer.error(result)
        if isOver { noteConnection(of: transfer, slot) }
        transfer.stop(in: multi)
        if !isOver, !slot.isMultiplexed, let half = slot.connection {
            // The connection closes with the transfer, at once or in libcurl's own time.
            sockets.abandon(half)
            slot.connection = nil
        }
        if result != CURLE_OK { failedToOpen(transfer) }
        let ending = transfer.ending(result, error: error)
        if case .complete(_, keepAlive: true) = ending, let seconds = exchange.response.head.framing.keepAliveSeconds {
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

    /// Updates the slot's connection with the one that libcurl kept, which libcurl reports from the end of the
    /// transfer until its handle is removed.
    ///
    /// Later versions close a TLS connection in their own time; until then its socket stays open, although it no
    /// longer belongs to the slot. libcurl does not report a connection that other transfers use.
    private func noteConnection(of transfer: CurlTransfer, _ slot: CurlSlot) {
        if slot.connection == nil || Self.closesGracefully && transfer.wasSent && slot.runningCount == 1 {
            let kept = transfer.openConnection
            if let old = slot.connection, old != kept { sockets.abandon(old) }
            slot.connection = kept
        }
        for descriptor in transfer.sockets.opened where descriptor != slot.connection {
            if sockets[descriptor].slot == slot.id { sockets.abandon(descriptor) }
        }
    }

    private static let closesGracefully = LibcurlVersion.loaded >= .closesGracefully

    /// Detaches the exchange from its transfer. The slot's own transfer stays for the next request; any other
    /// becomes spare.
    private func release(_ transfer: CurlTransfer, from slot: CurlSlot) {
        transfer.exchange = nil
        if let unused = transfer.sockets.takeConnected() { closeSocket(unused) }
        // The transfer may carry out another exchange by the time `joining` or `settling` is examined.
        if !joining.isEmpty { joining.removeAll { $0 === transfer } }
        if !settling.isEmpty { settling.removeAll { $0 === transfer } }
        guard transfer !== slot.transfer else { return }
        slot.remove(transfer)
        putAside(transfer)
    }

    // MARK: Actions of the state machine

    /// Performs the actions that an input resulted in, after those deferred earlier, and then those that they cause
    /// in turn. Must not be called from within a call to libcurl or from within an action; use ``performLater(_:)``
    /// there.
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

    /// Defers actions until ``performDeferred()``, for inputs made from within a call to libcurl or from within an
    /// action. Actions are performed in the order in which they were decided, because each relies on those before
    /// it: for example, a slot may be reopened after an earlier action has closed it.
    func performLater(_ actions: consuming PoolActions) {
        guard !actions.list.isEmpty else { return }
        machine.recycle(actions.append(to: &deferred))
    }

    /// Performs the deferred actions. An action that fails is an input to the state machine and may add further
    /// ones.
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
            let error = self.failure(of: exchange, failure)
            if failure != .bodyFailed, let error = error as? PoolError { note(error, of: exchange) }
            exchange.caller.settle(.failure(error))
            finish(exchange, request)
        }
    }

    /// Reports an error of the exchange to the observer, if its origin caused it.
    private func note(_ error: PoolError, of exchange: Exchange) {
        guard error.phase == .connect || error.phase == .exchange, error.code != .shutdown else { return }
        machine.noteFailure(of: exchange.request.origin, error.reason)
    }

    private func open(_ id: SlotID, _ request: RequestID) {
        guard let exchange = exchanges[request] else { return }
        exchange.acquisition.beginOpening(at: now)
        guard let peer = options.proxies.peer(of: exchange.request.origin) else {
            return open(id, exchange, to: nil)
        }
        lookUp(for: NameWaits.Opener(slot: id, request: request, peer: peer), exchange)
    }

    /// Opens a connection for the exchange.
    ///
    /// - Parameter peer: the resolved peer; `nil` if no name had to be resolved.
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
            // The connection became idle and was reassigned in the same turn, so epoll has not reported on it in
            // between.
            failedToBegin(exchange, .stale(sent: false, reason), error: Self.connectionDied)
            return
        }
        do throws(PoolError) {
            exchange.acquisition.acquired(.reused, at: now)
            let transfer = try run(exchange, .reuse, on: slot)
            // The peer may have announced that it accepts no further requests (GOAWAY). Then the request finds no
            // stream on the connection.
            if slot.isMultiplexed, transfer.isRunning { joining.append(transfer) }
        } catch {
            failedToBegin(exchange, .broken(.other), error: error)
        }
    }

    /// Hands the exchange to libcurl on the slot's own transfer.
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

    /// libcurl rejected the request, so its address cannot be requested.
    private func refused(_ exchange: Exchange, _ transfer: CurlTransfer) {
        if let slot = transfer.slot { release(transfer, from: slot) }
        let error = PoolError(.invalidRequest, "libcurl does not accept the request's address", phase: .submit)
        failedToBegin(exchange, .broken(.other), error: error)
    }

    /// Withdraws the requests that were assigned to a connection and still have no stream: there was no room for
    /// them.
    ///
    /// - Returns: whether any transfer was examined, in which case libcurl may have work again.
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

    /// A transfer ended or could not be started. Stores the result, unless the request is retried.
    private func endTransfer(of exchange: Exchange, _ ending: TransferEnding, error: PoolError?) -> PoolActions {
        guard let id = exchange.id else { return PoolActions() }
        if let error {
            note(error, of: exchange)
        } else if case .complete(let status, _) = ending, status >= 500 {
            machine.noteErrorStatus(of: exchange.request.origin, status)
        }
        let ended = machine.transferEnded(id, ending, at: now)
        switch ended.verdict {
        case .retry:
            exchange.phase = .acquire
            return ended.takeActions()
        case .refuse: exchange.caller.settle(.failure(describe(Self.peerRefuses, exchange)))
        case .deliver:
            exchange.caller.settle(error.map { .failure(describe($0, exchange)) } ?? .success(exchange.response.take()))
        }
        finish(exchange, id)
        return ended.takeActions()
    }

    /// Reports that the transfer which an action was to start could not be started.
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
        exchange.upload.close()
        if exchanges[id] === exchange { exchanges[id] = nil }
        finished.append(exchange)
    }
}
