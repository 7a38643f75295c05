import PoolDecisions

/// The state of each descriptor that libcurl uses: its slot, and the events to wait for.
///
/// The kernel reuses the number of a closed descriptor at once. A generation distinguishes events of an earlier
/// socket from those of the socket that has the number now.
///
/// The events to wait for may change several times between two waits, as they do with some versions of libcurl.
/// Only the last change is passed to the kernel, by ``applyChanges(_:)``.
struct SocketTable {
    struct Socket {
        /// The slot whose connection it is or will be; -1 for a socket that belongs to no slot.
        var slot: SlotID = -1
        var generation: UInt32 = 0
        /// The events to wait for.
        var interest = EventQueue.Interest()
        /// The events registered with the kernel.
        var applied = EventQueue.Interest()
        fileprivate var isChanged = false
        /// The events that libcurl last asked for.
        var wanted = EventQueue.Interest()
    }

    private var sockets: [Socket] = []
    private var changed: [Int32] = []

    /// An upper bound on the number of sockets.
    var count: Int { sockets.count }

    subscript(descriptor: Int32) -> Socket {
        descriptor < sockets.count ? sockets[Int(descriptor)] : Socket()
    }

    /// The tag that the descriptor's events carry.
    func tag(of descriptor: Int32) -> UInt64 {
        UInt64(self[descriptor].generation) << 32 | UInt64(UInt32(bitPattern: descriptor))
    }

    /// The descriptor that an event belongs to; `nil` if its socket has been closed since.
    func descriptor(of tag: UInt64) -> Int32? {
        let descriptor = Int32(bitPattern: UInt32(truncatingIfNeeded: tag))
        return self[descriptor].generation == UInt32(truncatingIfNeeded: tag >> 32) ? descriptor : nil
    }

    /// Records a new socket that belongs to `slot`.
    mutating func open(_ descriptor: Int32, for slot: SlotID) {
        close(descriptor)
        sockets[Int(descriptor)].slot = slot
    }

    /// Records that the socket is open but no longer the connection of a slot.
    mutating func abandon(_ descriptor: Int32) {
        makeRoom(for: descriptor)
        sockets[Int(descriptor)].slot = -1
    }

    /// Records that the descriptor is closing. Events already received for it become stale.
    mutating func close(_ descriptor: Int32) {
        makeRoom(for: descriptor)
        sockets[Int(descriptor)] = Socket(generation: sockets[Int(descriptor)].generation &+ 1)
    }

    /// Records the events that libcurl asks for.
    mutating func want(_ interest: EventQueue.Interest, on descriptor: Int32) {
        makeRoom(for: descriptor)
        sockets[Int(descriptor)].wanted = interest
    }

    /// Sets the events to wait for, from the next wait on.
    mutating func wait(for interest: EventQueue.Interest, on descriptor: Int32) {
        makeRoom(for: descriptor)
        guard sockets[Int(descriptor)].interest != interest else { return }
        sockets[Int(descriptor)].interest = interest
        guard !sockets[Int(descriptor)].isChanged else { return }
        sockets[Int(descriptor)].isChanged = true
        changed.append(descriptor)
    }

    /// Passes on all changes made since the last call.
    ///
    /// - Parameter apply: registers the socket's `interest`, and returns whether that succeeded.
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
