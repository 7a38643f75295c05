/// A connection pool whose work can be recorded: what `InstrumentedClient` measures.
///
/// A pool that does its work in turns on one thread reports each turn to its observer itself, as `CurlClient` does. Any other
/// pool reports to a ``PoolRecorder``, which implements this protocol for it.
public protocol ObservablePool: Sendable {
    /// The limits and timeouts in force, each with its source.
    var configuration: PoolConfiguration { get }

    /// The libraries underneath.
    var backend: PoolBackend { get }

    /// What the pool reports. Numbers that depend on anything else are left out of the metrics and pages, rather than
    /// shown as 0.
    var facts: PoolFacts { get }

    /// What the pool's thread is doing; ``ThreadActivity/unknown`` for a pool without a thread of its own.
    var activity: ThreadActivity { get }

    /// Runs tasks on the pool's own thread; `nil` where the pool has none, or offers none.
    var executor: (any TaskExecutor)? { get }

    /// Installs the one observer of the pool.
    ///
    /// - Throws: ``PoolError`` with ``PoolError/Code/observerRefused`` if there is one already, or a request was submitted
    ///   before.
    func attach(_ observer: any PoolObserver) throws

    /// Requests that were submitted and are in no turn yet. They count as queued.
    ///
    /// Those with a number up to ``PoolTurn/takenThrough`` of the last turn are to be skipped.
    func pendingSubmissions() -> [PendingSubmission]

    /// Puts other limits and timeouts in force while the pool runs. Raising a limit serves waiting requests at once; lowering
    /// one closes idle connections beyond it and lets active ones finish. Requests that were submitted keep the timeouts
    /// they were submitted with.
    ///
    /// It returns when the new values are in force and the metrics show them.
    ///
    /// - Throws: ``ConfigurationError`` for values that are not allowed; ``PoolError`` with code `invalidRequest` where
    ///   ``PoolConfiguration/transport`` would change or the pool's limits cannot change while it runs, and `shutdown` where
    ///   the pool has ended.
    func reconfigure(_ configuration: PoolConfiguration) async throws

    /// Refuses new requests, ends queued and running ones as `policy` says, closes every connection and returns when none
    /// is left. Calling it again waits for the same end.
    func shutdown(_ policy: ShutdownPolicy) async
}

extension ObservablePool {
    /// All of them.
    public var facts: PoolFacts { .all }

    /// Unknown.
    public var activity: ThreadActivity { .unknown }

    /// None.
    public var executor: (any TaskExecutor)? { nil }

    /// Throws: the limits of this pool are settled when it is made.
    public func reconfigure(_ configuration: PoolConfiguration) async throws {
        throw PoolError(.invalidRequest, "the limits of this client cannot be changed while it runs", phase: .submit)
    }

    /// Shuts down and gives running requests ten seconds to finish.
    public func shutdown() async { await shutdown(ShutdownPolicy()) }
}

/// What a pool reports about itself.
public struct PoolFacts: OptionSet, Sendable, Hashable {
    /// One bit for each fact.
    public let rawValue: UInt16

    /// Facts by their bits.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Connections: their levels, how they were opened and closed, and how requests got theirs. Without it only requests are
    /// recorded.
    public static let connections = PoolFacts(rawValue: 1 << 0)
    /// When a request got a slot, apart from when its connection was ready.
    public static let slots = PoolFacts(rawValue: 1 << 1)
    /// Which limit made a request wait.
    public static let limitWaits = PoolFacts(rawValue: 1 << 2)
    /// Requests that the pool sends again on its own.
    public static let retries = PoolFacts(rawValue: 1 << 3)
    /// Name look-ups in flight.
    public static let lookUps = PoolFacts(rawValue: 1 << 4)
    /// What the pool's thread is doing (``ObservablePool/activity``).
    public static let activity = PoolFacts(rawValue: 1 << 5)

    /// Everything that there is.
    public static let all: PoolFacts = [.connections, .slots, .limitWaits, .retries, .lookUps, .activity]
}

/// What the thread of a pool is doing. A pool whose thread is blocked serves nobody.
@nonexhaustive
public enum ThreadActivity: Sendable, Hashable {
    /// The pool has no thread of its own, or cannot say.
    case unknown
    /// It waits for something to do.
    case asleep
    /// It has been working on one turn since then.
    case working(since: MonotonicTime)
}

/// The libraries under a client.
public struct PoolBackend: Sendable, Hashable {
    /// Name and version of the client library, such as `libcurl/7.88.1`.
    public let library: String
    /// Name and version of the TLS library.
    public let tls: String
    /// Why the library may not behave as the pool expects, such as a version that was not tested; `nil` where no reason is
    /// known.
    public let caution: String?

    /// Names both.
    public init(library: String, tls: String, caution: String? = nil) {
        self.library = library
        self.tls = tls
        self.caution = caution
    }
}

/// A request that was submitted to a pool and that no turn has reported yet.
public struct PendingSubmission: Sendable, Hashable {
    /// Its number: later submissions have higher ones.
    public let number: UInt64
    /// Its origin.
    public let origin: Origin
    /// Its call site.
    public let site: CallSite
    /// When it was submitted.
    public let submitted: MonotonicTime

    /// Describes one.
    public init(number: UInt64, origin: Origin, site: CallSite, submitted: MonotonicTime) {
        self.number = number
        self.origin = origin
        self.site = site
        self.submitted = submitted
    }
}
