import HTTPPool

/// The addresses of a peer as a connection is to try them.
struct PeerAddresses {
    let peer: NamedPeer
    /// As they were looked up.
    let known: KnownAddresses
    /// The same in the order in which they are to be tried.
    let inOrder: [String]

    /// What libcurl is told.
    var entry: String { peer.entry(for: inOrder) }
}

/// One of the sockets by which a transfer tried to reach its peer.
struct ConnectAttempt {
    let descriptor: Int32
    /// `nil` where the peer's address was not looked up.
    let address: AddressHistory.Address?
    let began: MonotonicTime
}
