import HTTPPool

/// A resolved peer, with the address to connect to.
struct ReachedPeer {
    let peer: NamedPeer
    let address: String
    /// The number of the look-up that found the address.
    let lookUp: UInt64
    /// A socket connected to the address; `nil` if libcurl is to connect one.
    let socket: Int32?
    let since: MonotonicTime

    /// The entry for CURLOPT_RESOLVE.
    var entry: String { peer.entry(for: address) }
}
