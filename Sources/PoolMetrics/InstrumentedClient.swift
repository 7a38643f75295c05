public import HTTPPool
public import HTTPTypes

/// A pooled client that is measured. It wraps any other and is used in its place.
///
/// While it is alive it is in a ``PoolRegistry``, from which the endpoint reads every pool of the process.
public final class InstrumentedClient: PooledHTTPClient {
    /// The name of the pool: the value of the label `pool` of all that is shown of it.
    public let name: String
    private let client: any PooledHTTPClient
    private let meter: PoolMeter
    private let registry: PoolRegistry

    /// Wraps a client that has not been used yet.
    ///
    /// - Parameters:
    ///   - client: the client to measure.
    ///   - name: 1 to 64 bytes of UTF-8 without control characters. It must not be taken from input.
    ///   - registry: where the pool is to be found.
    /// - Throws: ``PoolNameError`` if the name is invalid, or a living pool has it; `PoolError` with code
    ///   `observerRefused` if the client has an observer, or has begun to work without one. Then the name stays free.
    public init(_ client: any PooledHTTPClient, name: String = "default", registry: PoolRegistry = .process) throws {
        try PoolNameError.check(name)
        self.name = name
        self.client = client
        self.registry = registry
        self.meter = PoolMeter(configuration: client.configuration)
        // The name first: a client that was attached to a meter in vain could not be given to another. Where the
        // client refuses, `deinit` frees the name.
        try registry.add(self)
        try client.attach(meter)
    }

    deinit { registry.remove(self) }

    /// The limits and timeouts that the pool obeys now, each with its source.
    public var configuration: PoolConfiguration { client.configuration }

    /// The libraries underneath.
    public var backend: PoolBackend { client.backend }

    /// Since when the wrapped pool's thread has been at work on one turn; `nil` while it sleeps.
    public var busySince: MonotonicTime? { client.busySince }

    /// The wrapped pool's executor.
    public var executor: (any TaskExecutor)? { client.executor }

    /// What the pool is and has done, at one instant between two of its turns. It goes on working after shutdown.
    public func reading() -> PoolReading {
        let (tally, pending) = meter.read(pending: client.pendingSubmissions)
        return PoolReading(
            name: name,
            backend: client.backend,
            now: .read(),
            busySince: client.busySince,
            tally: tally,
            pending: pending
        )
    }

    /// Sends a request and returns the answer, as the wrapped client does.
    public func execute(
        _ request: HTTPRequest,
        body: RequestBody,
        options: RequestOptions
    ) async throws -> PooledResponse {
        try await client.execute(request, body: body, options: options)
    }

    /// Refused by the wrapped client, whose one observer is the meter.
    ///
    /// - Throws: `PoolError` with code `observerRefused`.
    public func attach(_ observer: any PoolObserver) throws { try client.attach(observer) }

    /// Requests that were submitted and that no turn has told of yet.
    public func pendingSubmissions() -> [PendingSubmission] { client.pendingSubmissions() }

    /// Puts other limits and timeouts in force, as the wrapped client does.
    ///
    /// - Throws: `ConfigurationError` or `PoolError`, as the wrapped client does; nothing is changed then.
    public func reconfigure(_ configuration: PoolConfiguration) async throws {
        try await client.reconfigure(configuration)
    }

    /// Shuts the wrapped client down. When its last connection is closed the pool leaves the registry and its name is
    /// free again.
    public func shutdown(_ policy: ShutdownPolicy) async {
        await client.shutdown(policy)
        registry.remove(self)
    }
}
