/// One turn of a pool's driver: every event since the previous turn, in order, and the current levels.
///
/// A pool reports to its observer once at the end of each turn. At that point levels and events agree: connections
/// opened minus closed equals active plus idle.
public struct PoolTurn: Sendable {
    /// When the turn ended.
    public var now: MonotonicTime
    /// The number of the last submission covered by the turn. Later ones are still pending
    /// (``ObservablePool/pendingSubmissions()``).
    public var takenThrough: UInt64 = 0
    /// The new limits and timeouts, if they changed in this turn while the pool was running.
    public var configuration: PoolConfiguration? {
        get { newConfiguration.first }
        set { newConfiguration = newValue.map { [$0] } ?? [] }
    }
    /// Empty or one element. Stored out of line, because turns are much more frequent than configuration changes.
    private var newConfiguration: [PoolConfiguration] = []
    /// Whether ``configuration`` is not `nil`, without copying it.
    package var hasConfiguration: Bool { !newConfiguration.isEmpty }
    /// Origins that this turn introduces, with their numbers.
    public var newOrigins: [(id: OriginID, origin: Origin)] = []
    /// The events, in order.
    public var events: [PoolEvent] = []
    /// The levels of every origin changed by the turn. Other origins keep their levels.
    public var origins: [(id: OriginID, levels: OriginLevels)] = []
    /// The levels of every call site changed by the turn.
    public var sites: [(site: CallSite, levels: RequestLevels)] = []
    /// When the oldest queued request was submitted; `nil` if none is queued.
    public var oldestQueued: MonotonicTime?

    /// The number of DNS look-ups that connections of the pool wait for. As a level, it is kept by ``reset()``.
    public var resolving = 0

    /// Creates an empty turn.
    public init(now: MonotonicTime) { self.now = now }

    /// Empties the turn for reuse, keeping its capacity.
    public mutating func reset() {
        if hasConfiguration { configuration = nil }
        if !newOrigins.isEmpty { newOrigins.removeAll(keepingCapacity: true) }
        if !events.isEmpty { events.removeAll(keepingCapacity: true) }
        if !origins.isEmpty { origins.removeAll(keepingCapacity: true) }
        if !sites.isEmpty { sites.removeAll(keepingCapacity: true) }
    }
}

/// The connections of one origin, each in exactly one state.
public struct ConnectionLevels: Sendable, Hashable {
    /// Being opened: from the decision to open it until it is usable.
    public var connecting = 0
    /// In use by at least one request.
    public var active = 0
    /// Established and not in use.
    public var idle = 0

    /// All connections: the number that limits apply to.
    public var total: Int { connecting + active + idle }

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
    public var total: Int { queued + connecting + inFlight }

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
