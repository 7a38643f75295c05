import Glibc
import HTTPPool
import PoolDecisions

/// Name resolution before a connection is opened, and the history of the addresses found.
extension CurlDriver {
    /// Opens the connection if the peer's addresses are known. Otherwise the slot waits for them, with its request
    /// in the connecting state.
    func lookUp(for opener: NameWaits.Opener, _ exchange: Exchange) {
        if let own = opener.peer.ownAddresses {
            return reach(KnownAddresses(addresses: own, lookUp: 0), for: opener, exchange)
        }
        exchange.waitForName()
        if nameWaits.join(opener) { return }
        let name = opener.peer.name
        let finding = resolver.ask(name, lifetime: options.nameLifetime) { [mailbox] ticket, result in
            _ = mailbox.post(.lookedUp(Mailbox.EndedLookUp(name: name, ticket: ticket, result: result)))
        }
        switch finding {
        case .known(let known): reach(known, for: opener, exchange)
        case .pending(let ticket):
            nameWaits.add(opener, ticket: ticket)
            machine.setResolving(nameWaits.count)
        }
    }

    /// libcurl connects to a single address; several addresses are raced by the pool.
    private func reach(_ known: KnownAddresses, for opener: NameWaits.Opener, _ exchange: Exchange) {
        if known.addresses.count > 1 { return startRace(for: opener, known) }
        let address = known.addresses.first ?? ""
        let peer = ReachedPeer(peer: opener.peer, address: address, lookUp: known.lookUp, socket: nil, since: now)
        open(opener.slot, exchange, to: peer)
    }

    /// A look-up has ended: the slots that waited for it open their connections.
    func lookedUp(_ ended: Mailbox.EndedLookUp) {
        let openers = nameWaits.end(ended.name, ticket: ended.ticket)
        machine.setResolving(nameWaits.count)
        for opener in openers {
            // An earlier iteration may have moved this request elsewhere.
            guard let exchange = exchanges[opener.request], machine.isOpening(opener.slot, for: opener.request) else {
                continue
            }
            switch ended.result {
            case .success(let known): reach(known, for: opener, exchange)
            case .failure(let failure): notLookedUp(exchange, failure)
            }
            performDeferred()
        }
    }

    private func notLookedUp(_ exchange: Exchange, _ failure: NameFailure) {
        let isProxys = options.proxies.route(to: exchange.request.origin) != .direct
        let whose = isProxys ? "the proxy's" : "the host's"
        let code: PoolError.Code = isProxys ? .proxyFailed : .dnsFailed
        // A look-up needs descriptors, and the C library does not always report that it had none.
        if DescriptorLimit.isReached {
            return failedToBegin(exchange, .broken(.noDescriptor), error: DescriptorLimit.error(EMFILE))
        }
        switch failure {
        case .unknown:
            let error = PoolError(code, "\(whose) name does not resolve", phase: .connect)
            failedToBegin(exchange, .broken(.dns), error: error)
        case .failed(let words):
            let error = PoolError(code, "\(whose) name does not resolve: \(words)", phase: .connect)
            failedToBegin(exchange, .broken(.dns), error: error)
        case .outOfResources(let words):
            let error = PoolError(.outOfResources, "\(whose) name could not be looked up: \(words)", phase: .connect)
            failedToBegin(exchange, .broken(.dns), error: error)
        }
    }

    /// The slot is being closed. Withdraws its pending look-up, if any.
    func stopWaiting(_ slot: SlotID) {
        guard nameWaits.count > 0, let (name, ticket) = nameWaits.leave(slot) else { return }
        resolver.withdraw(ticket, from: name)
        machine.setResolving(nameWaits.count)
    }

    // MARK: Failed addresses

    /// The connection could not be opened. The next one looks the name up again, even if only TLS failed: the
    /// address may belong to another host by now.
    func failedToOpen(_ transfer: CurlTransfer) {
        guard transfer.start == .open, !transfer.wasSent, transfer.sockets.shortage == nil,
            let peer = transfer.sockets.peer
        else {
            return
        }
        resolver.forget(peer.peer.name, lookUp: peer.lookUp)
        // TCP connected but TLS failed, so another address may work better. A tunnel that a proxy refused says
        // nothing about the proxy's address.
        guard !transfer.leadsToProxy else { return }
        addressHistory.failed(AddressHistory.Address(host: peer.address, port: peer.peer.port), at: now)
    }

    /// The slot is being closed while it may still be opening its connection: the attempt timed out, or no request
    /// needs it any more. An attempt that lasted long enough counts as failed.
    func gaveUp(_ transfer: CurlTransfer) {
        if transfer.isInHandshake { transfer.exchange?.wasInHandshake = true }
        guard transfer.isRunning, let peer = transfer.sockets.peer, now - peer.since >= AddressHistory.patience else {
            return
        }
        failedToOpen(transfer)
    }
}
