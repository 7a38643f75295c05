import PoolDecisions

/// What is known of each descriptor that libcurl uses: whose it is, and what it is waited for.
///
/// Descriptors are small numbers that the kernel uses again at once. A generation tells an event of an earlier socket
/// from one of the socket that has its number now.
///
/// What a descriptor is waited for may change several times between two waits, and some versions of libcurl make it. Only
/// the last of these is passed on to the kernel, by ``applyChanges(_:)``.
struct SocketTable {
    struct Socket {
        /// The slot whose connection it is, or is to become; -1 for a socket that is no slot's.
        var slot: SlotID = -1
        var generation: UInt32 = 0
        /// What it is to be waited for.
        var interest = EventQueue.Interest()
        /// What the kernel knows of that.
        var applied = EventQueue.Interest()
        fileprivate var isChanged = false
        /// What libcurl last asked for.
        var wanted = EventQueue.Interest()
    }

    private var sockets: [Socket] = []
    private var changed: [Int32] = []

    /// At least as many as there are sockets.
    var count: Int { sockets.count }

    subscript(descriptor: Int32) -> Socket {
        descriptor < sockets.count ? sockets[Int(descriptor)] : Socket()
    }

    /// The tag under which the descriptor's events come back.
    func tag(of descriptor: Int32) -> UInt64 {
        UInt64(self[descriptor].generation) << 32 | UInt64(UInt32(bitPattern: descriptor))
    }

    /// The descriptor of an event; `nil` if the socket it speaks of is closed.
    func descriptor(of tag: UInt64) -> Int32? {
        let descriptor = Int32(bitPattern: UInt32(truncatingIfNeeded: tag))
        return self[descriptor].generation == UInt32(truncatingIfNeeded: tag >> 32) ? descriptor : nil
    }

    /// A new socket, which is a slot's.
    mutating func open(_ descriptor: Int32, for slot: SlotID) {
        close(descriptor)
        sockets[Int(descriptor)].slot = slot
    }

    /// The socket is open, and no connection of a slot any more.
    mutating func abandon(_ descriptor: Int32) {
        makeRoom(for: descriptor)
        sockets[Int(descriptor)].slot = -1
    }

    /// The descriptor closes: events that are already on their way mean nothing.
    mutating func close(_ descriptor: Int32) {
        makeRoom(for: descriptor)
        sockets[Int(descriptor)] = Socket(generation: sockets[Int(descriptor)].generation &+ 1)
    }

    /// What libcurl asks for.
    mutating func want(_ interest: EventQueue.Interest, on descriptor: Int32) {
        makeRoom(for: descriptor)
        sockets[Int(descriptor)].wanted = interest
    }

    /// What the descriptor is to be waited for, from the next wait on.
    mutating func wait(for interest: EventQueue.Interest, on descriptor: Int32) {
        makeRoom(for: descriptor)
        guard sockets[Int(descriptor)].interest != interest else { return }
        sockets[Int(descriptor)].interest = interest
        guard !sockets[Int(descriptor)].isChanged else { return }
        sockets[Int(descriptor)].isChanged = true
        changed.append(descriptor)
    }

    /// Passes on what has changed since the last time.
    ///
    /// - Parameter apply: puts the interest in force, and returns whether that went well.
    mutating func applyChanges(_ apply: (_ descriptor: Int32, _ tag: UInt64, Socket) -> Bool) {
        guard !changed.isEmpty else { return }
        for descriptor in changed where sockets[Int(descriptor)].isChanged {
            sockets[Int(descriptor)].isChanged = false
            let socket = sockets[Int(descriptor)]
            guard socket.interest != socket.applied else { continue }
            if apply(descriptor, tag(of: descriptor), socket) { sockets[Int(descriptor)].applied = socket.interest }
        }
        changed.removeAll(keepingCapacity: true)
    }

    private mutating func makeRoom(for descriptor: Int32) {
        while sockets.count <= Int(descriptor) { sockets.append(Socket()) }
    }
}
