import CLibcurl
import CLinux
import Glibc
import HTTPPool

/// The sockets of the pool: what is heard of them, and what libcurl wants to know of them.
extension CurlDriver {
    func handle(_ event: EventQueue.Event) {
        guard let descriptor = sockets.descriptor(of: event.tag) else { return }
        let slot = slot(of: descriptor)
        if let slot, !slot.isRunning {
            if slot.connection == descriptor { idleConnectionSpoke(slot, descriptor, event.happened) }
            return
        }
        var bits: Int32 = 0
        if !event.happened.isDisjoint(with: [.read, .peerClosed, .hangUp]) { bits |= CURL_CSELECT_IN }
        if event.happened.contains(.write) { bits |= CURL_CSELECT_OUT }
        if event.happened.contains(.failure) { bits |= CURL_CSELECT_ERR }
        // Bytes moved, one way or the other.
        if let exchange = slot?.soleExchange { progressed(exchange) }
        if let slot, slot.isMultiplexed, bits & CURL_CSELECT_IN != 0 { machine.received(on: slot.id, at: now) }
        var running: Int32 = 0
        curl_multi_socket_action(multi, descriptor, bits, &running)
        collect()
    }

    /// Asks about the connections that became idle in this turn, all at once: they are about to be given to requests, and
    /// until then each would have to be asked by itself.
    func hearIdleConnections() {
        events.wait(until: now, now: now, into: &idleEvents)
        // There may be more than there was room for.
        guard !idleEvents.isFull else { return }
        hearing += 1
        for event in idleEvents.events {
            guard let descriptor = sockets.descriptor(of: event.tag), let slot = slot(of: descriptor), !slot.isRunning
            else {
                // It is told of again at the next wait.
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
        register(connection, slot.isMultiplexed ? [.peerClosed] : [.read, .peerClosed])
    }

    private func idleConnectionSpoke(_ slot: CurlSlot, _ descriptor: Int32, _ happened: EventQueue.Interest) {
        // What the event told of may have been heard, and answered, since the thread woke up.
        let hasEnded = !happened.isDisjoint(with: [.peerClosed, .hangUp, .failure])
        guard let reason = slot.isMultiplexed ? (hasEnded ? .peerClosed : nil) : Self.whatItSaid(descriptor) else {
            return
        }
        machine.idleConnectionSpoke(slot.id, reason, at: now)
        perform()
    }

    /// Why an idle connection is readable: it ended, or it says something that nobody had asked for. `nil`: it is not.
    static func whatItSaid(_ descriptor: Int32) -> CloseReason? {
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
    func watch(_ descriptor: Int32, _ what: Int32, for easy: UnsafeMutableRawPointer?) {
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
            } else {
                sockets.want(descriptor, false)
                if slot(of: descriptor)?.isHeld == true { hold(descriptor) }
            }
            return
        }
        // libcurl 7.88 closes a socket that never connected without a word. Then its number can be that of a resolver.
        if sockets[descriptor].slot >= 0, sockets[descriptor].slot != easy.flatMap(transfer(of:))?.slot?.id {
            sockets.close(descriptor)
        }
        register(descriptor, interest)
        sockets.want(descriptor, true)
    }

    /// Readers stand still. What the peer has sent by now would be told of again and again.
    func hold(_ descriptor: Int32) {
        guard !sockets[descriptor].isWanted else { return }
        events.forget(descriptor)
        sockets.set(descriptor, slot: sockets[descriptor].slot, interest: [])
    }

    func register(_ descriptor: Int32, _ interest: EventQueue.Interest) {
        let known = sockets[descriptor]
        guard known.interest != interest else { return }
        let isKnown = !known.interest.isEmpty
        if events.register(descriptor, interest, tag: sockets.tag(of: descriptor), isKnown: isKnown) {
            sockets.set(descriptor, slot: known.slot, interest: interest)
        }
    }

    /// A transfer opened a socket: from now on its events are the slot's.
    func socketOpened(_ descriptor: Int32, for transfer: CurlTransfer) {
        sockets.close(descriptor)
        sockets.set(descriptor, slot: transfer.slot?.id ?? -1, interest: [])
    }

    /// libcurl closes a socket that had connected.
    func socketCloses(_ descriptor: Int32) {
        let id = sockets[descriptor].slot
        if slots.indices.contains(id), let slot = slots[id], slot.connection == descriptor { slot.connection = nil }
        sockets.close(descriptor)
    }
}
