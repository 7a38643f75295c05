import CLibcurl
import Glibc
import HTTPPool

/// From names to addresses, before a connection is opened; and what became of the addresses.
extension CurlDriver {
    /// The addresses of the opener's peer where they are known. Otherwise the slot waits for them, its request in the state
    /// connecting.
    func addresses(for opener: NameWaits.Opener, _ exchange: Exchange) -> PeerAddresses? {
        if !nameWaits.join(opener) {
            let name = opener.peer.name
            let finding = resolver.ask(name, lifetime: options.nameLifetime) { [mailbox] ticket, result in
                mailbox.lookedUp(Mailbox.EndedLookUp(name: name, ticket: ticket, result: result))
            }
            switch finding {
            case .known(let known): return inOrder(known, of: opener.peer)
            case .pending(let ticket): nameWaits.begin(opener, ticket: ticket)
            }
            machine.setResolving(nameWaits.count)
        }
        exchange.waitForName()
        return nil
    }

    private func inOrder(_ known: KnownAddresses, of peer: NamedPeer) -> PeerAddresses {
        let inOrder = addressHistory.inOrder(known.addresses, port: peer.port, at: now)
        return PeerAddresses(peer: peer, known: known, inOrder: inOrder)
    }

    /// A look-up has ended: those who waited for it open their connections.
    func lookedUp(_ ended: Mailbox.EndedLookUp) {
        let openers = nameWaits.end(ended.name, ticket: ended.ticket)
        machine.setResolving(nameWaits.count)
        for opener in openers {
            // What became of one before may have moved another.
            guard let exchange = exchanges[opener.request], machine.isOpening(opener.slot, for: opener.request) else {
                continue
            }
            switch ended.result {
            case .success(let known): open(opener.slot, exchange, at: inOrder(known, of: opener.peer))
            case .failure(let failure): notLookedUp(exchange, failure)
            }
            perform()
        }
    }

    private func notLookedUp(_ exchange: Exchange, _ failure: NameFailure) {
        let isProxys = options.proxies.route(to: exchange.request.origin) != .direct
        let whose = isProxys ? "the proxy's" : "the host's"
        let code: PoolError.Code = isProxys ? .proxyFailed : .dnsFailed
        switch failure {
        case .unknown:
            let error = PoolError(code, "\(whose) name does not resolve", phase: .connect)
            transferEnded(.broken(.dns), exchange, error: error)
        case .failed(let words):
            let error = PoolError(code, "\(whose) name does not resolve: \(words)", phase: .connect)
            transferEnded(.broken(.dns), exchange, error: error)
        case .outOfResources(let words):
            let error = PoolError(.outOfResources, "\(whose) name could not be looked up: \(words)", phase: .connect)
            transferEnded(.broken(.noDescriptor), exchange, error: error)
        }
    }

    /// The slot is to be closed. It may have waited for a name.
    func stopWaiting(_ slot: SlotID) {
        guard nameWaits.count > 0, let (name, ticket) = nameWaits.leave(slot) else { return }
        resolver.withdraw(ticket, from: name)
        machine.setResolving(nameWaits.count)
    }

    /// What is left of the time in which the exchange's connection must be ready.
    func connectTime(of exchange: Exchange) -> UInt64? {
        exchange.id.flatMap { machine.connectTime(of: $0, at: now) }
    }

    // MARK: Addresses

    /// A transfer opened a socket for an address.
    func attempt(at peer: UnsafePointer<sockaddr>, by descriptor: Int32, of transfer: CurlTransfer) -> ConnectAttempt {
        let began = MonotonicClock.now()
        guard let port = transfer.addresses?.peer.port, let host = SystemResolver.text(of: peer) else {
            return ConnectAttempt(descriptor: descriptor, address: nil, began: began)
        }
        let address = AddressHistory.Address(host: host, port: port)
        addressHistory.began(address, at: began)
        return ConnectAttempt(descriptor: descriptor, address: address, began: began)
    }

    /// The connection is ready: one of the addresses was good, and those that were tried before it were not.
    func noteWinner(of transfer: CurlTransfer) {
        let (attempts, winner) = transfer.takeAttempts(connected: true)
        guard let winner else { return note(attempts, connected: nil) }
        let before = attempts.filter { $0.descriptor != winner.descriptor && $0.began <= winner.began }
        let after = attempts.filter { $0.descriptor != winner.descriptor && $0.began > winner.began }
        note(before, connected: false)
        note(after, connected: nil)
        note([winner], connected: true)
        if !before.isEmpty { forgetAddresses(of: transfer) }
    }

    /// The connection could not be opened.
    func failedToOpen(_ transfer: CurlTransfer, _ result: CURLcode) {
        guard transfer.start == .open, !transfer.wasSent else { return }
        // What came after the connection was there, such as TLS, is no fault of the address alone. It may still be that of
        // another host by now.
        let isUnreachable = result == CURLE_COULDNT_CONNECT || result == CURLE_OPERATION_TIMEDOUT
        note(transfer.takeAttempts(connected: false).attempts, connected: isUnreachable ? false : nil)
        forgetAddresses(of: transfer)
    }

    /// The slot is to be closed. Where it was still opening its connection, time has run out, or nobody wants it any more;
    /// what had not connected by then is slow, unless it had just begun.
    func gaveUp(_ transfer: CurlTransfer) {
        guard transfer.isRunning, transfer.start == .open, !transfer.wasSent else { return }
        let attempts = transfer.takeAttempts(connected: false).attempts
        let slow = attempts.filter { now - $0.began >= AddressHistory.patience }
        note(slow, connected: false)
        note(attempts.filter { now - $0.began < AddressHistory.patience }, connected: nil)
        if !slow.isEmpty { forgetAddresses(of: transfer) }
    }

    private func note(_ attempts: [ConnectAttempt], connected: Bool?) {
        for attempt in attempts {
            guard let address = attempt.address else { continue }
            addressHistory.ended(address, connected: connected, at: now)
        }
    }

    /// The next connection looks the name up anew: it may have moved.
    private func forgetAddresses(of transfer: CurlTransfer) {
        guard let addresses = transfer.addresses else { return }
        resolver.forget(addresses.peer.name, lookUp: addresses.known.lookUp)
    }
}
