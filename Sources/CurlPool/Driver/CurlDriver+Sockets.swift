import CLibcurl
import CLinux
import Glibc
import HTTPPool
import PoolDecisions

/// The sockets of the pool: their events, and what libcurl wants to know of them.
extension CurlDriver {
    func handle(_ event: EventQueue.Event) {
        guard let descriptor = sockets.descriptor(of: event.tag) else { return }
        if !races.isEmpty, raceMoved(descriptor) { return }
        let slot = slot(of: descriptor)
        if let slot, !slot.isRunning, slot.connection == descriptor {
            idleConnectionReadable(slot, descriptor, event.happened)
            return
        }
        // A socket that is no slot's any more is one that libcurl is closing.
        var event = event
        if let slot, !slot.isMultiplexed, slot.isHeld {
            // Some versions of libcurl read on where the transfer is paused, and keep what they read in memory.
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

    /// Asks about the connections that became idle in this turn, all at once: they are about to be given to requests, and
    /// until then each would have to be asked by itself.
    func pollIdleConnections() {
        wait(until: now, into: &idleEvents)
        // There may be more than there was room for.
        guard !idleEvents.isFull else { return }
        polls += 1
        for event in idleEvents.events {
            guard let descriptor = sockets.descriptor(of: event.tag), let slot = slot(of: descriptor), !slot.isRunning
            else {
                // The next wait reports it again.
                continue
            }
            handle(event)
        }
    }

    private func slot(of descriptor: Int32) -> CurlSlot? {
        let id = sockets[descriptor].slot
        return slots.indices.contains(id) ? slots[id] : nil
    }

    /// Listens to a connection that no request is on. One that carries several may go on talking about itself (HTTP/2's
    /// frames for the whole connection); libcurl hears that before the next request, and until then only the end matters.
    func listen(to slot: CurlSlot) {
        guard let connection = slot.connection else { return }
        sockets.wait(for: slot.isMultiplexed ? [.peerClosed] : [.read, .peerClosed], on: connection)
    }

    private func idleConnectionReadable(_ slot: CurlSlot, _ descriptor: Int32, _ happened: EventQueue.Interest) {
        // What the event reported may have been read since the thread woke up.
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

    /// libcurl says what it waits for. A descriptor stays registered when libcurl has had enough of it: its connection
    /// is idle from then on, and is listened to.
    func watch(_ descriptor: Int32, _ what: Int32, for easy: UnsafeMutableRawPointer?) {
        let interest: EventQueue.Interest
        switch what {
        case CURL_POLL_IN: interest = [.read, .peerClosed]
        case CURL_POLL_OUT: interest = [.write]
        case CURL_POLL_INOUT: interest = [.read, .write, .peerClosed]
        default:
            // A socket that is no connection of ours (the resolver's) is closed by libcurl in its own time.
            if sockets[descriptor].slot < 0 {
                // Newer versions of libcurl ask for their eventfd at every request, and take that back in the same turn.
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
        // libcurl 7.88 closes a socket that never connected without a word. Then its number can be that of a resolver.
        if sockets[descriptor].slot >= 0, sockets[descriptor].slot != easy.flatMap(transfer(of:))?.slot?.id {
            sockets.close(descriptor)
        }
        sockets.wait(for: interest, on: descriptor)
        sockets.want(interest, on: descriptor)
        if what == CURL_POLL_OUT, let slot = slot(of: descriptor) { stoppedReading(slot) }
    }

    /// All readers of the connection are paused: what the peer has sent is left in the kernel, and reported no more. Where
    /// several requests are on it, libcurl may still want to read frames that are not theirs.
    func hold(_ descriptor: Int32) {
        if slot(of: descriptor)?.isMultiplexed == true, !sockets[descriptor].wanted.isEmpty { return }
        sockets.wait(for: sockets[descriptor].wanted.subtracting([.read, .peerClosed]), on: descriptor)
    }

    /// A reader goes on: the connection is waited for again as libcurl last asked.
    func resume(_ transfer: CurlTransfer) {
        guard let slot = transfer.slot else { return }
        for descriptor in transfer.opened + (slot.connection.map { [$0] } ?? [])
        where sockets[descriptor].slot == slot.id && !sockets[descriptor].wanted.isEmpty {
            sockets.wait(for: sockets[descriptor].wanted, on: descriptor)
        }
    }

    /// Waits for events until `deadline`, or without end.
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

    /// A transfer opened a socket: from now on its events are the slot's.
    func socketOpened(_ descriptor: Int32, for transfer: CurlTransfer) {
        sockets.open(descriptor, for: transfer.slot?.id ?? -1)
    }

    /// libcurl closes a socket that had connected.
    func socketCloses(_ descriptor: Int32) {
        let id = sockets[descriptor].slot
        if slots.indices.contains(id), let slot = slots[id], slot.connection == descriptor { slot.connection = nil }
        sockets.close(descriptor)
    }
}
