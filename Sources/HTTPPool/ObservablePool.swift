/// A connection pool that can be observed. `InstrumentedClient` measures one.
///
/// A pool that works in turns on one thread, such as `CurlClient`, reports each turn to its observer directly. Any
/// other pool reports to a ``PoolRecorder``, which implements this protocol for it.
public protocol ObservablePool: Sendable {
    /// The limits and timeouts in force, each with its source.
    var configuration: PoolConfiguration { get }

    /// The client and TLS libraries.
    var backend: PoolBackend { get }

    /// The facts that the pool reports. Numbers that depend on other facts are omitted from metrics and pages
    /// instead of shown as 0.
    var facts: PoolFacts { get }

    /// The current activity of the pool's thread; ``ThreadActivity/unknown`` for a pool without a thread of its
    /// own.
    var activity: ThreadActivity { get }

    /// An executor that runs tasks on the pool's thread; `nil` if the pool offers none.
    var executor: (any TaskExecutor)? { get }

    /// Installs the pool's only observer.
    ///
    /// - Throws: ``PoolError`` with ``PoolError/Code/observerRefused`` if there is one already or a request was
    ///   submitted before.
    func attach(_ observer: any PoolObserver) throws

    /// What a request that holds a connection is doing; `nil` if the pool does not report it
    /// (``PoolFacts/leaseStates``) or no longer has the request.
    ///
    /// Called from any thread, while no lock of the observer is held. It must not wait for the pool's thread.
    ///
    /// - Parameters:
    ///   - request: the request, as in the pool's events.
    ///   - since: when it acquired its connection.
    func state(of request: RequestKey, since: MonotonicTime) -> LeaseState?

    /// Submitted requests that are not part of a turn yet. They count as queued.
    ///
    /// Skip those with a number up to the last turn's ``PoolTurn/takenThrough``. A pool that has any says in
    /// ``PoolTurn/ChangedOrigin/taken`` and ``PoolTurn/ChangedSite/taken`` which of them a turn took: readings before it
    /// include their waiting, and without these it would be lost.
    func pendingSubmissions() -> [PendingSubmission]

    /// Replaces the limits and timeouts while the pool runs.
    ///
    /// Raising a limit serves waiting requests at once. Lowering one closes surplus idle connections and lets
    /// active ones finish. Requests submitted before keep their timeouts. Returns when the new values are in force
    /// and visible in metrics.
    ///
    /// - Throws: ``ConfigurationError`` for invalid values; ``PoolError`` with code `invalidRequest` if
    ///   ``PoolConfiguration/transport`` would change or the pool does not support changes while it runs, and with
    ///   `shutdown` if it has ended.
    func reconfigure(_ configuration: PoolConfiguration) async throws

    /// Refuses new requests, ends queued and running ones according to `policy`, closes every connection, and
    /// returns when none is left. Further calls wait for the same shutdown.
    func shutdown(_ policy: ShutdownPolicy) async
}

extension ObservablePool {
    /// All facts.
    public var facts: PoolFacts { .all }

    /// Unknown.
    public var activity: ThreadActivity { .unknown }

    /// Not reported.
    public func state(of request: RequestKey, since: MonotonicTime) -> LeaseState? { nil }

    /// None.
    public var executor: (any TaskExecutor)? { nil }

    /// Throws: this pool's limits are fixed when it is created.
    public func reconfigure(_ configuration: PoolConfiguration) async throws {
        throw PoolError(.invalidRequest, "the limits of this client cannot be changed while it runs", phase: .submit)
    }

    /// Shuts down with a grace period of 10 seconds for running requests.
    public func shutdown() async { await shutdown(ShutdownPolicy()) }
}

/// The facts that a pool reports.
public struct PoolFacts: OptionSet, Sendable, Hashable {
    /// One bit per fact.
    public let rawValue: UInt16

    /// Creates a set from its bits.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Connections: levels, opens and closes, and how requests acquired them. Without it only requests are
    /// recorded.
    public static let connections = PoolFacts(rawValue: 1 << 0)
    /// When a request was given a slot, separately from when its connection was ready.
    public static let slots = PoolFacts(rawValue: 1 << 1)
    /// Which limits make requests wait.
    public static let limitWaits = PoolFacts(rawValue: 1 << 2)
    /// Requests that the pool retries on its own.
    public static let retries = PoolFacts(rawValue: 1 << 3)
    /// DNS look-ups in progress.
    public static let lookUps = PoolFacts(rawValue: 1 << 4)
    /// The activity of the pool's thread (``ObservablePool/activity``).
    public static let activity = PoolFacts(rawValue: 1 << 5)

    /// When the head of each response arrived.
    public static let responses = PoolFacts(rawValue: 1 << 6)
    /// How requests that had a connection ended.
    public static let outcomes = PoolFacts(rawValue: 1 << 7)
    /// What each request that holds a connection is doing (``ObservablePool/state(of:since:)``).
    public static let leaseStates = PoolFacts(rawValue: 1 << 8)

    /// All facts.
    public static let all: PoolFacts = [
        .connections, .slots, .limitWaits, .retries, .lookUps, .activity, .responses, .outcomes, .leaseStates,
    ]
}

/// The activity of a pool's thread. While it is blocked, the pool serves no request.
@nonexhaustive
public enum ThreadActivity: Sendable, Hashable {
    /// The pool has no thread of its own, or does not report it.
    case unknown
    /// Waiting for work.
    case asleep
    /// Working on one turn since the given time.
    case working(since: MonotonicTime)
}

/// The libraries that a client is built on.
public struct PoolBackend: Sendable, Hashable {
    /// Name and version of the client library, such as `libcurl/7.88.1`.
    public let library: String
    /// Name and version of the TLS library.
    public let tls: String
    /// Why the library may behave unexpectedly, such as an untested version; `nil` if there is no known reason.
    public let caution: String?

    /// Creates a description of the libraries.
    public init(library: String, tls: String, caution: String? = nil) {
        self.library = library
        self.tls = tls
        self.caution = caution
    }
}

/// A submitted request that no turn has reported yet.
public struct PendingSubmission: Sendable, Hashable {
    /// Its number; later submissions have higher numbers.
    public let number: UInt64
    /// Its origin.
    public let origin: Origin
    /// Its call site.
    public let site: CallSite
    /// When it was submitted.
    public let submitted: MonotonicTime

    /// Creates a description of a submission.
    public init(number: UInt64, origin: Origin, site: CallSite, submitted: MonotonicTime) {
        self.number = number
        self.origin = origin
        self.site = site
        self.submitted = submitted
    }
}
