/// One turn of a pool's driver: every event since the previous turn, in order, and the current levels.
///
/// A pool reports to its observer once at the end of each turn. At that point levels and events agree: connections
/// opened minus closed equals active plus idle.
public struct PoolTurn: Sendable {
    /// When the turn ended.
    public var now: MonotonicTime
    /// The number of the last submission covered by the turn. Later ones are still pending
    /// (``ObservablePool/pendingSubmissions()``). Those that the turn took are in ``ChangedOrigin/taken`` and
    /// ``ChangedSite/taken`` too.
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
    public var newOrigins: [NewOrigin] = []
    /// The events, in order.
    public var events: [PoolEvent] = []
    /// The traces of the events that have one, in the order of ``events``. Empty unless requests are traced.
    public var traces: [EventTrace] = []
    /// The levels of every origin changed by the turn. Other origins keep their levels.
    public var origins: [ChangedOrigin] = []
    /// The levels of every call site changed by the turn.
    public var sites: [ChangedSite] = []
    /// When the oldest queued request was submitted; `nil` if none is queued.
    public var oldestQueued: MonotonicTime?

    /// The limits that keep at least one request waiting at the end of the turn.
    public var saturation: PoolSaturation = []

    /// When the pool's thread began to work on the turn; `nil` if unknown. A turn that takes a second is reported as a stall.
    public var began: MonotonicTime?

    /// A turn that takes so long, in nanoseconds, is a stall.
    package static let stall: UInt64 = 1_000_000_000

    /// Whether the pool is shutting down. As a level, it is kept by ``reset()``.
    public var isEnding = false

    /// Errors that origins caused in this turn, in order.
    public var failures: [OriginFailure] = []

    /// The number of DNS look-ups that connections of the pool wait for. As a level, it is kept by ``reset()``.
    public var resolving = 0

    /// Creates an empty turn.
    public init(now: MonotonicTime) { self.now = now }

    /// Empties the turn for reuse, keeping its capacity.
    public mutating func reset() {
        if hasConfiguration { configuration = nil }
        if !newOrigins.isEmpty { newOrigins.removeAll(keepingCapacity: true) }
        if !events.isEmpty { events.removeAll(keepingCapacity: true) }
        if !traces.isEmpty { traces.removeAll(keepingCapacity: true) }
        if !origins.isEmpty { origins.removeAll(keepingCapacity: true) }
        if !sites.isEmpty { sites.removeAll(keepingCapacity: true) }
        if !failures.isEmpty { failures.removeAll(keepingCapacity: true) }
    }

    /// An error that an origin caused: a connection failed to open, or a request on one failed.
    public struct OriginFailure: Sendable, Hashable {
        /// The origin.
        public let origin: OriginID
        /// What happened, as ``PoolError/reason`` has it, or the status of its response. It is shown on pages, so it must
        /// contain no path, query, header field or other secret.
        public let words: String

        /// Describes an error.
        public init(_ origin: OriginID, _ words: String) {
            self.origin = origin
            self.words = words
        }
    }

    /// Appends an event of a request and, if the request is traced, its trace.
    public mutating func append(_ event: PoolEvent, of trace: TraceID?) {
        if let trace { traces.append(EventTrace(event: events.count, trace)) }
        events.append(event)
    }

    /// The trace of an event. It is kept beside the events, which stay small.
    public struct EventTrace: Sendable, Hashable {
        /// The index of the event in ``PoolTurn/events``.
        public let event: Int
        /// The trace of its request.
        public let trace: TraceID

        /// Says that an event belongs to a trace.
        public init(event: Int, _ trace: TraceID) {
            self.event = event
            self.trace = trace
        }
    }

    /// An origin, with its number from this turn on.
    public struct NewOrigin: Sendable, Hashable {
        /// Its number.
        public let id: OriginID
        /// The origin.
        public let origin: Origin

        /// Introduces an origin by a number.
        public init(_ id: OriginID, _ origin: Origin) {
            self.id = id
            self.origin = origin
        }
    }

    /// The levels of an origin.
    public struct ChangedOrigin: Sendable, Hashable {
        /// Its number.
        public let id: OriginID
        /// Its levels at the end of the turn.
        public let levels: OriginLevels
        /// Its requests that the turn took. Empty for a pool without pending submissions.
        public let taken: TakenRequests

        /// Describes the levels of an origin.
        public init(_ id: OriginID, _ levels: OriginLevels, taken: TakenRequests = TakenRequests()) {
            self.id = id
            self.levels = levels
            self.taken = taken
        }
    }

    /// The levels of a call site.
    public struct ChangedSite: Sendable, Hashable {
        /// The call site.
        public let site: CallSite
        /// Its levels at the end of the turn.
        public let levels: RequestLevels
        /// Its requests that the turn took. Empty for a pool without pending submissions.
        public let taken: TakenRequests

        /// Describes the levels of a call site.
        public init(_ site: CallSite, _ levels: RequestLevels, taken: TakenRequests = TakenRequests()) {
            self.site = site
            self.levels = levels
            self.taken = taken
        }
    }
}
