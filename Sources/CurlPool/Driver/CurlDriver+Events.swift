import HTTPPool
import PoolDecisions

/// Passes on to the state machine what a transfer reports.
///
/// Called from within calls to libcurl, where no transfer may be started, stopped or closed. The resulting actions are
/// performed after that call has returned.
extension CurlDriver {
    /// A new connection is ready, and the request is about to be sent.
    func connectionReady(_ transfer: CurlTransfer) {
        guard let slot = transfer.slot, let exchange = transfer.exchange else { return }
        readClock()
        exchange.acquisition.acquired(.new, at: now)
        slot.speaksTLS = exchange.request.address.isSecure || options.proxies.speaksTLS(to: exchange.request.origin)
        performLater(machine.connectionReady(slot.id, at: now))
    }

    /// The transfer has a stream on the connection that it was to share.
    func joined(_ transfer: CurlTransfer) {
        guard let exchange = transfer.exchange, let id = exchange.id, let slot = transfer.slot else { return }
        slot.isMultiplexed = true
        exchange.acquisition.acquired(machine.isShared(slot.id) ? .multiplexed : .reused, at: now)
        joining.removeAll { $0 === transfer }
        performLater(machine.joined(id, at: now))
    }

    /// The first line of a response has arrived.
    func responseBegan(_ transfer: CurlTransfer, _ line: UnsafeBufferPointer<UInt8>) {
        guard options.mayMultiplex, transfer.start == .open, let slot = transfer.slot else { return }
        // A peer can name HTTP/2 without having negotiated it.
        let isMultiplexed = line.starts(with: "HTTP/2".utf8) && transfer.hasNegotiatedHTTP2
        slot.isMultiplexed = isMultiplexed
        performLater(machine.responseBegan(slot.id, isMultiplexed: isMultiplexed, at: now))
    }

    func headArrived(_ exchange: Exchange) {
        headsArrived.append(exchange)
        if let id = exchange.id { machine.responded(id, at: now) }
    }

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

    /// What the transfer is waiting for has changed.
    func awaits(_ transfer: CurlTransfer) {
        guard let id = transfer.exchange?.id else { return }
        machine.awaits(id, transfer.awaiting, at: now)
    }
}
