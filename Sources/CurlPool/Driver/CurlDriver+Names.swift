import Glibc
import HTTPPool
import PoolDecisions

/// From names to addresses, before a connection is opened; and what became of the addresses.
extension CurlDriver {
    /// Opens the connection where the peer's addresses are known. Otherwise the slot waits for them, its request in the
    /// state connecting.
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

    /// One address is for libcurl to connect to, and several are for a race.
    private func reach(_ known: KnownAddresses, for opener: NameWaits.Opener, _ exchange: Exchange) {
        if known.addresses.count > 1 { return startRace(for: opener, known) }
        let address = known.addresses.first ?? ""
        let peer = ReachedPeer(peer: opener.peer, address: address, lookUp: known.lookUp, socket: nil, since: now)
        open(opener.slot, exchange, to: peer)
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
        // The C library does not always say why it found nothing, and needs descriptors for it.
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

    /// The slot is to be closed. It may have waited for a name.
    func stopWaiting(_ slot: SlotID) {
        guard nameWaits.count > 0, let (name, ticket) = nameWaits.leave(slot) else { return }
        resolver.withdraw(ticket, from: name)
        machine.setResolving(nameWaits.count)
    }

    // MARK: Addresses that proved bad

    /// The connection could not be opened. The next one looks the name up anew, also where TLS failed: the address may be
    /// another host's by now.
    func failedToOpen(_ transfer: CurlTransfer) {
        guard transfer.start == .open, !transfer.wasSent, transfer.shortage == nil, let peer = transfer.peer else {
            return
        }
        resolver.forget(peer.peer.name, lookUp: peer.lookUp)
        // It took the connection, and then TLS did not come about: another address may do better. What a proxy says of a tunnel
        // is no fault of its address.
        guard !transfer.leadsToProxy else { return }
        addressHistory.failed(AddressHistory.Address(host: peer.address, port: peer.peer.port), at: now)
    }

    /// The slot is to be closed. Where it was still opening its connection, time has run out, or nobody wants it any more.
    func gaveUp(_ transfer: CurlTransfer) {
        guard transfer.isRunning, let peer = transfer.peer, now - peer.since >= AddressHistory.patience else { return }
        failedToOpen(transfer)
    }
}
