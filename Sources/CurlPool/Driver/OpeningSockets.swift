import Glibc

/// The sockets of a transfer that opens a connection.
struct OpeningSockets {
    /// The resolved peer, if a name was resolved for this connection.
    private(set) var peer: ReachedPeer?
    /// A socket that is connected to `peer`, until libcurl asks for one.
    private var connected: Int32?
    /// The sockets opened in this attempt. For a host that it resolves itself, libcurl tries several at once.
    private(set) var opened: [Int32] = []
    /// The `errno` value, if the last socket could not be opened for lack of descriptors, apart from those reserved for
    /// the runtime.
    private(set) var shortage: Int32?

    /// Sets the peer for the next connection; `nil` if no name had to be resolved.
    mutating func prepare(for peer: ReachedPeer?) {
        self.peer = peer
        connected = peer?.socket
    }

    /// Begins another attempt. What was prepared for it stays.
    mutating func begin() {
        shortage = nil
        opened.removeAll(keepingCapacity: true)
    }

    /// Takes the connected socket, if libcurl has not taken it yet.
    mutating func takeConnected() -> Int32? {
        defer { connected = nil }
        return connected
    }

    mutating func add(_ descriptor: Int32) {
        opened.append(descriptor)
        shortage = nil
    }

    /// - Parameter number: the `errno` value.
    mutating func foundNoDescriptor(_ number: Int32) { shortage = number }

    /// The opened socket that is bound to a local port.
    func descriptor(boundTo port: Int32) -> Int32? { opened.first { Self.isBound($0, to: port) } }

    /// Whether the socket has a peer.
    static func isConnected(_ descriptor: Int32) -> Bool {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &address) { bytes in
            guard let start = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return false }
            return getpeername(descriptor, start, &length) == 0
        }
    }

    private static func isBound(_ descriptor: Int32, to port: Int32) -> Bool {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &address) { bytes in
            guard let start = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return false }
            return getsockname(descriptor, start, &length) == 0 && UnsafeRawBufferPointer(bytes).port == port
        }
    }
}

extension UnsafeRawBufferPointer {
    /// The port in a socket address. IPv4 and IPv6 have it at the same offset, in network byte order.
    var port: Int32 { Int32(self[2]) << 8 | Int32(self[3]) }
}
