import HTTPPool

/// A peer that was looked up, at the one of its addresses to which a connection is opened.
struct ReachedPeer {
    let peer: NamedPeer
    let address: String
    /// The number of the look-up that found the address.
    let lookUp: UInt64
    /// A socket that is connected to it; `nil` where libcurl is to connect one.
    let socket: Int32?
    let since: MonotonicTime

    /// The line for CURLOPT_RESOLVE.
    var entry: String { peer.entry(for: address) }
}
