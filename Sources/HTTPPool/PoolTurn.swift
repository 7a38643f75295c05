/// What one turn of a pool's driver did: every event since the last turn, in order, and the levels that hold now.
///
/// A pool works in turns and tells its observer once, at the end of each. Between two turns the levels and the
/// events agree: opened minus closed is what is active and idle.
public struct PoolTurn: Sendable {
    /// When the turn ended.
    public var now: MonotonicTime
    /// Submissions with a number up to this one are in the levels and events; later ones still wait to be taken
    /// (``ObservablePool/pendingSubmissions()``).
    public var takenThrough: UInt64 = 0
    /// The limits and timeouts that are in force from this turn on, where they changed while the pool was running.
    public var configuration: PoolConfiguration? {
        get { newConfiguration.first }
        set { newConfiguration = newValue.map { [$0] } ?? [] }
    }
    /// None or one. Out of line, because turns are far more frequent than changes of the configuration.
    private var newConfiguration: [PoolConfiguration] = []
    /// Whether ``configuration`` is not `nil`, without copying it.
    package var hasConfiguration: Bool { !newConfiguration.isEmpty }
    /// Origins that are spoken of by number from this turn on.
    public var newOrigins: [(id: OriginID, origin: Origin)] = []
    /// What happened, in order.
    public var events: [PoolEvent] = []
    /// The levels of every origin that the turn touched. An origin that is not named keeps its levels.
    public var origins: [(id: OriginID, levels: OriginLevels)] = []
    /// The levels of every call site that the turn touched.
    public var sites: [(site: CallSite, levels: RequestLevels)] = []
    /// When the request that has been queued the longest was submitted; `nil` when none is queued.
    public var oldestQueued: MonotonicTime?

    /// Names that are being looked up and that connections of the pool wait for. A level: ``reset()`` leaves it.
    public var resolving = 0

    /// An empty turn.
    public init(now: MonotonicTime) { self.now = now }

    /// Empties the turn for the next one and keeps its memory.
    public mutating func reset() {
        if hasConfiguration { configuration = nil }
        if !newOrigins.isEmpty { newOrigins.removeAll(keepingCapacity: true) }
        if !events.isEmpty { events.removeAll(keepingCapacity: true) }
        if !origins.isEmpty { origins.removeAll(keepingCapacity: true) }
        if !sites.isEmpty { sites.removeAll(keepingCapacity: true) }
    }
}

/// Connections of one origin, each in exactly one state.
public struct ConnectionLevels: Sendable, Hashable {
    /// From the decision to open it until it is usable.
    public var connecting = 0
    /// At least one request is on it.
    public var active = 0
    /// Established, with no request on it.
    public var idle = 0

    /// All of them: what counts against the limits.
    public var total: Int { connecting + active + idle }

    /// None.
    public init() {}
}

/// Requests that were accepted and are not finished, each in exactly one state.
public struct RequestLevels: Sendable, Hashable {
    /// It has no slot yet.
    public var queued = 0
    /// It has a slot, and its connection is not ready.
    public var connecting = 0
    /// It holds a ready connection.
    public var inFlight = 0

    /// All of them.
    public var total: Int { queued + connecting + inFlight }

    /// None.
    public init() {}
}

/// The levels of one origin.
public struct OriginLevels: Sendable, Hashable {
    /// Its connections.
    public var connections = ConnectionLevels()
    /// Its requests.
    public var requests = RequestLevels()

    /// Nothing.
    public init() {}
}
