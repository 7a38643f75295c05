/// What a ``LoopbackUpstream`` has counted since it was created. A restart does not reset it.
public struct UpstreamCounts: Sendable, Hashable {
    /// Connections accepted so far.
    public internal(set) var connectionsAccepted = 0
    /// Connections currently open.
    public internal(set) var connectionsOpen = 0
    /// Requests whose head was received, by path.
    public internal(set) var requests: [UpstreamPath: Int] = [:]

    /// Requests over all paths.
    public var requestsInAll: Int { requests.values.reduce(0, +) }
}
