/// Why an address cannot be listened on, as the system reports it.
struct ListenFailure: Error, Sendable, Hashable {
    enum Cause: Sendable, Hashable {
        /// The host cannot be resolved.
        case unknownHost
        /// Another process listens on the Unix domain socket.
        case socketTaken
        /// The path of the Unix domain socket is a file of another kind.
        case notASocket
        /// `errno`.
        case system(Int32)
    }

    let cause: Cause
    /// The host and the port, or the path.
    let place: String
    let isUnixSocket: Bool
}
