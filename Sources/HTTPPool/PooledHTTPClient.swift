public import HTTPTypes

/// An HTTP client with a connection pool that can be observed. `CurlPool` is one; so is the decorator around it.
public protocol PooledHTTPClient: Sendable {
    /// The limits and timeouts that the pool obeys now, each with its source.
    var configuration: PoolConfiguration { get }

    /// The libraries underneath, for `poolscope_build_info`.
    var backend: PoolBackend { get }

    /// Sends a request and returns the answer as soon as its head has come.
    ///
    /// An answer of any status is a success. Cancelling the task cancels the request, whether it is queued, connecting
    /// or in flight.
    ///
    /// - Parameters:
    ///   - request: scheme, authority, path, method and header fields. `Content-Length` is written by the client.
    ///   - body: the body to send.
    ///   - options: what is different for this request.
    /// - Throws: ``PoolError``, or `CancellationError` when the task was cancelled.
    func execute(_ request: HTTPRequest, body: RequestBody, options: RequestOptions) async throws -> PooledResponse

    /// Since when the pool's thread has been at work on one turn; `nil` while it sleeps. A pool whose thread is held up
    /// serves nobody.
    var busySince: MonotonicTime? { get }

    /// Runs tasks on the pool's own thread; `nil` where the pool has none, or offers none.
    var executor: (any TaskExecutor)? { get }

    /// Installs the one observer of the pool.
    ///
    /// - Throws: ``PoolError`` with ``PoolError/Code/observerRefused`` if there is one, or a request came before.
    func attach(_ observer: any PoolObserver) throws

    /// Requests that were submitted and that no turn has told the observer of yet. They count as queued.
    ///
    /// Those with a number up to ``PoolTurn/takenThrough`` of the last turn are to be passed over.
    func pendingSubmissions() -> [PendingSubmission]

    /// Puts other limits and timeouts in force while the pool runs. Raising a limit serves those who wait at once; lowering
    /// one closes what is idle beyond it and lets what is active finish. Requests that were submitted keep the timeouts
    /// they were submitted with.
    ///
    /// It returns when they are in force, and the metrics say so.
    ///
    /// - Throws: ``ConfigurationError`` for values that are not allowed; ``PoolError`` with code `invalidRequest` where
    ///   ``PoolConfiguration/transport`` would change, and `shutdown` where the pool has ended.
    func reconfigure(_ configuration: PoolConfiguration) async throws

    /// Refuses new requests, lets go of those that wait and those that run as `policy` says, closes every connection
    /// and returns when none is left. Calling it again waits for the same end.
    func shutdown(_ policy: ShutdownPolicy) async
}

extension PooledHTTPClient {
    /// None.
    public var executor: (any TaskExecutor)? { nil }

    /// Asleep, as far as anybody knows.
    public var busySince: MonotonicTime? { nil }

    /// Refused: what this client obeys is settled when it is made.
    public func reconfigure(_ configuration: PoolConfiguration) async throws {
        throw PoolError(.invalidRequest, "the limits of this client cannot be changed while it runs", phase: .submit)
    }

    /// Sends a request without a body, or with one, and with the client's own options.
    public func execute(
        _ request: HTTPRequest,
        body: RequestBody = .none
    ) async throws -> PooledResponse {
        try await execute(request, body: body, options: RequestOptions())
    }

    /// Shuts down and gives running requests ten seconds to finish.
    public func shutdown() async { await shutdown(ShutdownPolicy()) }
}

/// The libraries under a client.
public struct PoolBackend: Sendable, Hashable {
    /// Name and version of the client library, such as `libcurl/7.88.1`.
    public let library: String
    /// Name and version of the TLS library.
    public let tls: String
    /// Why the library may not do what the pool expects of it, such as a version that was not tested; `nil` where nothing
    /// speaks against it.
    public let caution: String?

    /// Names both.
    public init(library: String, tls: String, caution: String? = nil) {
        self.library = library
        self.tls = tls
        self.caution = caution
    }
}

/// A request that a pool has been given and has not taken yet.
public struct PendingSubmission: Sendable, Hashable {
    /// Its number: later submissions have higher ones.
    public let number: UInt64
    /// Where it is going.
    public let origin: Origin
    /// Where it comes from.
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

/// What is different for one request.
public struct RequestOptions: Sendable, Hashable {
    /// The place in the service that the request comes from.
    public var site: CallSite = .unattributed
    /// Timeouts for this request alone, in place of the client's.
    public var timeouts: PoolTimeouts?
    /// Whether an answer that points elsewhere is followed; it is not unless asked for.
    public var redirects = RedirectPolicy.none

    /// The client's own options.
    public init() {}

    /// The client's own options, attributed to a call site.
    public init(site: CallSite) { self.site = site }
}

/// How a pool is shut down.
public struct ShutdownPolicy: Sendable, Hashable {
    /// What becomes of requests that wait in the queue.
    public enum Queued: Sendable, Hashable {
        /// They fail at once.
        case fail
        /// They may still get a connection within the grace period.
        case finish
    }

    /// What becomes of requests that wait in the queue.
    public var queued: Queued = .fail
    /// How long requests that have a connection, or are getting one, may go on. Then they fail.
    public var grace: Duration = .seconds(10)

    /// Queued requests fail, running ones get ten seconds.
    public init() {}

    /// Says both.
    public init(queued: Queued, grace: Duration) {
        self.queued = queued
        self.grace = grace
    }

    /// Everything ends now.
    public static let immediate = ShutdownPolicy(queued: .fail, grace: .zero)
}
