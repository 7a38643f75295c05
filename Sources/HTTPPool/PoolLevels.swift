/// The connections of one origin, each in exactly one state.
public struct ConnectionLevels: Sendable, Hashable {
    /// Being opened: from the decision to open it until it is usable.
    public var connecting = 0
    /// In use by at least one request.
    public var active = 0
    /// Established and not in use.
    public var idle = 0

    /// All connections: the number that limits apply to.
    public var total: Int { connecting &+ active &+ idle }

    /// No connections.
    public init() {}
}

/// Requests that were accepted and are not finished, each in exactly one state.
public struct RequestLevels: Sendable, Hashable {
    /// Waiting for a slot.
    public var queued = 0
    /// Holding a slot whose connection is not ready.
    public var connecting = 0
    /// Holding a ready connection.
    public var inFlight = 0

    /// All requests.
    public var total: Int { queued &+ connecting &+ inFlight }

    /// No requests.
    public init() {}
}

/// The levels of one origin.
public struct OriginLevels: Sendable, Hashable {
    /// Its connections.
    public var connections = ConnectionLevels()
    /// Its requests.
    public var requests = RequestLevels()

    /// All zero.
    public init() {}
}
