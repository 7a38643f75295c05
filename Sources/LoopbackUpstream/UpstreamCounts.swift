/// What a ``LoopbackUpstream`` has seen since it was made. A restart does not reset it.
public struct UpstreamCounts: Sendable, Hashable {
    /// Connections ever accepted.
    public internal(set) var connectionsAccepted = 0
    /// Connections open now.
    public internal(set) var connectionsOpen = 0
    /// Requests whose head was read, by path.
    public internal(set) var requests: [UpstreamPath: Int] = [:]

    /// Requests of all paths.
    public var requestsInAll: Int { requests.values.reduce(0, +) }
}
