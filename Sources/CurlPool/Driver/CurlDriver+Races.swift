import Glibc
import HTTPPool
import PoolDecisions

/// Connection races: for a peer with several addresses, the pool connects the sockets itself and hands the first
/// connected one to libcurl.
extension CurlDriver {
    func startRace(for opener: NameWaits.Opener, _ known: KnownAddresses) {
        let addresses = addressHistory.inOrder(known.addresses, port: opener.peer.port, at: now)
        races[opener.slot] = Race(opener, addresses, lookUp: known.lookUp, at: now)
        advance(opener.slot)
    }

    /// When the next address of any race is due.
    func nextRaceDue() -> MonotonicTime? { races.isEmpty ? nil : races.values.compactMap(\.nextDue).min() }

    /// Starts connecting to the addresses that are due.
    func advanceRaces() {
        guard let due = nextRaceDue(), due <= now else { return }
        for slot in races.keys.sorted() { advance(slot) }
        performDeferred()
    }

    /// Handles an event on a descriptor.
    ///
    /// - Returns: whether the descriptor belongs to a race.
    func raceMoved(_ descriptor: Int32) -> Bool {
        let slot = sockets[descriptor].slot
        guard let race = races[slot], race.attempts.contains(where: { $0.descriptor == descriptor }) else {
            return false
        }
        var error: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        if getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) != 0 { error = errno }
        guard let attempt = races[slot]?.end(descriptor, error: error) else { return false }
        if error == 0 {
            // libcurl registers the descriptor itself.
            events.forget(descriptor)
            sockets.close(descriptor)
            won(slot, attempt.address, by: descriptor)
        } else {
            closeSocket(descriptor)
            failed(attempt.address, of: race)
            advance(slot)
        }
        performDeferred()
        return true
    }

    /// The slot is being closed. Addresses that have not connected yet are recorded as failed, unless their attempt
    /// has only just begun.
    func stopRacing(_ slot: SlotID) {
        guard let race = races.removeValue(forKey: slot) else { return }
        giveUp(race.attempts, of: race)
    }

    private func advance(_ slot: SlotID) {
        while let (address, instead) = races[slot]?.next(at: now) {
            guard let race = races[slot] else { return }
            if let instead { giveUp([instead], of: race) }
            do {
                let (descriptor, isConnected) = try Self.connect(to: address, race.opener.peer.port)
                if isConnected {
                    // `connect` succeeded at once, which does not happen on Linux. libcurl calls `connect` again
                    // and would fail with EISCONN, so it opens a socket of its own.
                    closeSocket(descriptor)
                    return won(slot, address, by: nil)
                }
                sockets.open(descriptor, for: slot)
                sockets.wait(for: [.write], on: descriptor)
                races[slot]?.began(descriptor, address, at: now)
            } catch {
                races[slot]?.failed(error.number)
                // A lack of descriptors says nothing about the address.
                if !error.isOutOfDescriptors { failed(address, of: race) }
            }
        }
        guard let race = races[slot], race.isLost else { return }
        races[slot] = nil
        if let exchange = exchanges[race.opener.request] { report(race, exchange) }
    }

    private func won(_ slot: SlotID, _ address: String, by socket: Int32?) {
        guard let race = races.removeValue(forKey: slot), let exchange = exchanges[race.opener.request] else {
            if let socket { closeSocket(socket) }
            return
        }
        giveUp(race.attempts, of: race)
        addressHistory.connected(history(address, of: race))
        let peer = race.opener.peer
        let reached = ReachedPeer(peer: peer, address: address, lookUp: race.lookUp, socket: socket, since: now)
        open(slot, exchange, to: reached)
    }

    /// Reports that every address has failed.
    private func report(_ race: Race, _ exchange: Exchange) {
        let words = String(cString: strerror(race.error))
        let isProxys = options.proxies.route(to: exchange.request.origin) != .direct
        let error: PoolError
        if SocketError(number: race.error).isOutOfDescriptors {
            error = DescriptorLimit.error(race.error)
        } else if isProxys {
            error = PoolError(.proxyFailed, "the proxy could not be reached: \(words)", phase: .connect)
        } else {
            error = PoolError(.connectFailed, words, phase: .connect)
        }
        failedToBegin(exchange, .broken(SocketError(number: race.error).connectFailure), error: error)
    }

    // MARK: Results of attempts

    private func giveUp(_ attempts: [Race.Attempt], of race: Race) {
        for attempt in attempts {
            closeSocket(attempt.descriptor)
            if now - attempt.began >= AddressHistory.patience { failed(attempt.address, of: race) }
        }
    }

    private func failed(_ address: String, of race: Race) {
        addressHistory.failed(history(address, of: race), at: now)
        // The next connection looks the name up again, because its addresses may have changed.
        resolver.forget(race.opener.peer.name, lookUp: race.lookUp)
    }

    private func history(_ address: String, of race: Race) -> AddressHistory.Address {
        AddressHistory.Address(host: address, port: race.opener.peer.port)
    }

    // MARK: Sockets

    /// Closes a socket that libcurl has never had.
    func closeSocket(_ descriptor: Int32) {
        sockets.close(descriptor)
        close(descriptor)
    }

    /// Creates a socket and starts connecting it.
    private static func connect(
        to address: String,
        _ port: UInt16
    ) throws(SocketError) -> (descriptor: Int32, isConnected: Bool) {
        let isIPv6 = address.utf8.contains(UInt8(ascii: ":"))
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, kind, Int32(IPPROTO_TCP))
        guard descriptor >= 0 else { throw SocketError(number: errno) }
        guard !DescriptorLimit.isReserved(descriptor) else {
            close(descriptor)
            throw SocketError(number: EMFILE)
        }
        let code = isIPv6 ? connect6(descriptor, address, port) : connect4(descriptor, address, port)
        if code == 0 || errno == EINPROGRESS { return (descriptor, code == 0) }
        let error = SocketError(number: errno)
        close(descriptor)
        throw error
    }

    private static func connect4(_ descriptor: Int32, _ text: String, _ port: UInt16) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard inet_pton(AF_INET, text, &address.sin_addr) == 1 else { return notAnAddress() }
        return connect(descriptor, &address)
    }

    private static func connect6(_ descriptor: Int32, _ text: String, _ port: UInt16) -> Int32 {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        guard inet_pton(AF_INET6, text, &address.sin6_addr) == 1 else { return notAnAddress() }
        return connect(descriptor, &address)
    }

    private static func notAnAddress() -> Int32 {
        errno = EINVAL
        return -1
    }

    private static func connect<Address>(_ descriptor: Int32, _ address: inout Address) -> Int32 {
        // Sound: the kernel reads at most `bytes.count` bytes, and interprets them by the address family at their
        // start.
        withUnsafeBytes(of: &address) { bytes in
            guard let start = bytes.baseAddress else { return notAnAddress() }
            return Glibc.connect(descriptor, start.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
    }
}

/// Why a socket could not be created or connected, as an `errno` value.
private struct SocketError: Error {
    let number: Int32

    var isOutOfDescriptors: Bool { number == EMFILE || number == ENFILE }

    var connectFailure: ConnectFailure {
        switch number {
        case _ where isOutOfDescriptors: .noDescriptor
        case ECONNREFUSED: .refused
        case ETIMEDOUT: .timeout
        default: .other
        }
    }
}
