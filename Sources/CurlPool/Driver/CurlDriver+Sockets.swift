import CLibcurl
import CLinux
import Glibc
import HTTPPool
import PoolDecisions

/// Socket events, and what libcurl wants to wait for.
extension CurlDriver {
    func handle(_ event: EventQueue.Event) {
        guard let descriptor = sockets.descriptor(of: event.tag) else { return }
        if !races.isEmpty, raceMoved(descriptor) { return }
        let slot = slot(of: descriptor)
        if let slot, !slot.isRunning, slot.connection == descriptor {
            idleConnectionReadable(slot, descriptor, event.happened)
            return
        }
        // A socket that belongs to no slot is one that libcurl is closing.
        var event = event
        if let slot, !slot.isMultiplexed, slot.isHeld {
            // Some versions of libcurl keep reading while the transfer is paused, and buffer the data in memory.
            hold(descriptor)
            event.happened.subtract([.read, .peerClosed, .hangUp])
            guard !event.happened.isEmpty else { return }
        }
        var bits: Int32 = 0
        if !event.happened.isDisjoint(with: [.read, .peerClosed, .hangUp]) { bits |= CURL_CSELECT_IN }
        if event.happened.contains(.write) { bits |= CURL_CSELECT_OUT }
        if event.happened.contains(.failure) { bits |= CURL_CSELECT_ERR }
        let isWritable = bits & CURL_CSELECT_OUT != 0
        let uploaded = isWritable ? slot?.uploadedBytes : nil
        if let exchange = slot?.soleExchange, let transfer = exchange.transfer, bits & ~CURL_CSELECT_OUT != 0,
            transfer.becameReadable()
        {
            progressed(exchange)
        }
        if let slot, slot.fruitlessWrites > 0, bits & CURL_CSELECT_IN != 0 { endWriteStall(of: slot, descriptor) }
        if let slot, slot.isMultiplexed, bits & CURL_CSELECT_IN != 0 { machine.received(on: slot.id, at: now) }
        var running: Int32 = 0
        curl_multi_socket_action(multi, descriptor, bits, &running)
        if let slot, let uploaded { wroteOn(slot, descriptor, uploadedBefore: uploaded) }
        collect()
    }

    /// Polls all connections that became idle in this turn with one system call. They are about to be reused, and
    /// each would otherwise be checked individually.
    func pollIdleConnections() {
        wait(until: now, into: &idleEvents)
        // The buffer was full, so there may be further events.
        guard !idleEvents.isFull else { return }
        polls += 1
        for event in idleEvents.events {
            guard let descriptor = sockets.descriptor(of: event.tag), let slot = slot(of: descriptor), !slot.isRunning
            else {
                // Still pending: the next wait reports it again.
                continue
            }
            handle(event)
        }
    }

    private func slot(of descriptor: Int32) -> CurlSlot? {
        let id = sockets[descriptor].slot
        return slots.indices.contains(id) ? slots[id] : nil
    }

    /// Waits for events on a connection without requests. A multiplexed connection may still receive frames at
    /// connection level (HTTP/2); libcurl reads those before the next request, and until then only the close of the
    /// connection matters.
    func listen(to slot: CurlSlot) {
        guard let connection = slot.connection else { return }
        sockets.wait(for: slot.isMultiplexed ? [.peerClosed] : [.read, .peerClosed], on: connection)
    }

    private func idleConnectionReadable(_ slot: CurlSlot, _ descriptor: Int32, _ happened: EventQueue.Interest) {
        // The data that made the socket readable may have been read since the thread woke up.
        let hasEnded = !happened.isDisjoint(with: [.peerClosed, .hangUp, .failure])
        let reason: CloseReason?
        if slot.isMultiplexed {
            reason = hasEnded ? .peerClosed : nil
        } else {
            reason = IdleConnection.ending(of: descriptor, speaksTLS: slot.speaksTLS)
        }
        guard let reason else { return }
        perform(machine.idleConnectionEnded(slot.id, reason, at: now))
    }

    /// libcurl's socket callback: what it wants to wait for. When libcurl removes its interest, the descriptor
    /// stays registered: its connection is idle from then on, and the driver watches it.
    func watch(_ descriptor: Int32, _ what: Int32, for easy: UnsafeMutableRawPointer?) {
        let interest: EventQueue.Interest
        switch what {
        case CURL_POLL_IN: interest = [.read, .peerClosed]
        case CURL_POLL_OUT: interest = [.write]
        case CURL_POLL_INOUT: interest = [.read, .write, .peerClosed]
        default:
            // A socket that is not one of the pool's connections (the resolver's) is closed by libcurl in its own
            // time.
            if sockets[descriptor].slot < 0 {
                // Newer versions of libcurl register their eventfd for every request and remove it in the same
                // turn.
                if !sockets[descriptor].applied.isEmpty { events.forget(descriptor) }
                sockets.close(descriptor)
            } else {
                sockets.want([], on: descriptor)
                if let slot = slot(of: descriptor) {
                    if slot.isHeld { hold(descriptor) }
                    stoppedReading(slot)
                }
            }
            return
        }
        // libcurl 7.88 closes a socket that never connected without calling back. Its number may then be reused by
        // a resolver's socket.
        if sockets[descriptor].slot >= 0, sockets[descriptor].slot != easy.flatMap(transfer(of:))?.slot?.id {
            sockets.close(descriptor)
        }
        sockets.wait(for: interest, on: descriptor)
        sockets.want(interest, on: descriptor)
        if what == CURL_POLL_OUT, let slot = slot(of: descriptor) { stoppedReading(slot) }
    }

    /// All readers of the connection are paused: leaves received data in the kernel and stops reporting it. On a
    /// multiplexed connection libcurl may still need to read frames of other streams or of the connection.
    func hold(_ descriptor: Int32) {
        if slot(of: descriptor)?.isMultiplexed == true, !sockets[descriptor].wanted.isEmpty { return }
        sockets.wait(for: sockets[descriptor].wanted.subtracting([.read, .peerClosed]), on: descriptor)
    }

    /// A reader has resumed: waits again for what libcurl last asked for.
    func resume(_ transfer: CurlTransfer) {
        guard let slot = transfer.slot else { return }
        for descriptor in transfer.sockets.opened + (slot.connection.map { [$0] } ?? [])
        where sockets[descriptor].slot == slot.id && !sockets[descriptor].wanted.isEmpty {
            sockets.wait(for: sockets[descriptor].wanted, on: descriptor)
        }
    }

    /// Waits for events until `deadline`; indefinitely if it is `nil`.
    func wait(until deadline: MonotonicTime?, into happened: inout EventQueue.Happened) {
        sockets.applyChanges { descriptor, tag, socket in
            if socket.interest.isEmpty {
                events.forget(descriptor)
                return true
            }
            return events.register(descriptor, socket.interest, tag: tag, isKnown: !socket.applied.isEmpty)
        }
        events.wait(until: deadline, now: now, into: &happened)
    }

    /// A transfer opened a socket. Its events belong to the transfer's slot from now on.
    func socketOpened(_ descriptor: Int32, for transfer: CurlTransfer) {
        sockets.open(descriptor, for: transfer.slot?.id ?? -1)
    }

    /// libcurl closes a socket that was connected.
    func socketCloses(_ descriptor: Int32) {
        let id = sockets[descriptor].slot
        if slots.indices.contains(id), let slot = slots[id], slot.connection == descriptor { slot.connection = nil }
        sockets.close(descriptor)
    }
}
