/// What is known of each descriptor that libcurl uses: whose it is, and what it is waited for.
///
/// Descriptors are small numbers that the kernel uses again at once. A generation tells an event of an earlier socket
/// from one of the socket that has its number now.
struct SocketTable {
    struct Socket {
        var slot: SlotID = -1
        var generation: UInt32 = 0
        var interest = EventQueue.Interest()
        /// Whether libcurl wants to hear of it.
        var isWanted = false
    }

    private var sockets: [Socket] = []

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

    mutating func set(_ descriptor: Int32, slot: SlotID, interest: EventQueue.Interest) {
        makeRoom(for: descriptor)
        sockets[Int(descriptor)].slot = slot
        sockets[Int(descriptor)].interest = interest
    }

    mutating func want(_ descriptor: Int32, _ isWanted: Bool) {
        makeRoom(for: descriptor)
        sockets[Int(descriptor)].isWanted = isWanted
    }

    /// The descriptor closes: events that are already on their way mean nothing.
    mutating func close(_ descriptor: Int32) {
        makeRoom(for: descriptor)
        sockets[Int(descriptor)] = Socket(generation: sockets[Int(descriptor)].generation &+ 1)
    }

    private mutating func makeRoom(for descriptor: Int32) {
        while sockets.count <= Int(descriptor) { sockets.append(Socket()) }
    }
}
