public import HTTPPool
public import HTTPTypes

/// A pooled HTTP client with metrics. It wraps another client and is used in its place.
public final class InstrumentedClient: PooledHTTPClient {
    /// The observed pool of the client.
    public let measured: MeasuredPool
    private let client: any PooledHTTPClient

    /// Wraps an unused client that is its own pool.
    ///
    /// - Parameters:
    ///   - client: the client to observe.
    ///   - name: the pool name, 1 to 64 bytes of UTF-8 without control characters. It must not be taken from input.
    ///   - registry: the registry to add the pool to.
    /// - Throws: ``PoolNameError`` if the name is invalid or used by another live pool; `PoolError` with code
    ///   `observerRefused` if the pool already has an observer or has already accepted a request. The name stays
    ///   available then.
    public convenience init(
        _ client: any PooledHTTPClient & ObservablePool,
        name: String = "default",
        registry: PoolRegistry = .process
    ) throws {
        try self.init(client, pool: client, name: name, registry: registry)
    }

    /// Wraps a client whose pool is reported separately, for example by a `PoolRecorder`.
    ///
    /// - Parameters:
    ///   - client: sends the requests.
    ///   - pool: reports the connections and requests; ``shutdown(_:)`` shuts it down.
    ///   - name: the pool name, 1 to 64 bytes of UTF-8 without control characters. It must not be taken from input.
    ///   - registry: the registry to add the pool to.
    /// - Throws: ``PoolNameError`` and `PoolError`, like ``MeasuredPool/init(_:name:registry:)``.
    public init(
        _ client: any PooledHTTPClient,
        pool: any ObservablePool,
        name: String = "default",
        registry: PoolRegistry = .process
    ) throws {
        self.client = client
        measured = try MeasuredPool(pool, name: name, registry: registry)
    }

    /// The name of the pool: the value of the `pool` label.
    public var name: String { measured.name }

    /// The pool, for example to change its limits with `ObservablePool.reconfigure(_:)`.
    public var pool: any ObservablePool { measured.pool }

    /// A consistent snapshot of the pool, taken between two turns.
    public func reading() -> PoolReading { measured.reading() }

    /// Sends a request with the wrapped client.
    public func execute(
        _ request: HTTPRequest,
        body: HTTPRequestBody,
        options: RequestOptions
    ) async throws -> PooledResponse {
        try await client.execute(request, body: body, options: options)
    }

    /// Shuts the pool down. Once its last connection is closed, it is removed from the registry and its name is
    /// available again.
    public func shutdown(_ policy: ShutdownPolicy = ShutdownPolicy()) async { await measured.shutdown(policy) }
}

extension InstrumentedClient: ConfiguredClient {
    /// The limits and timeouts in force, each with its source.
    public var configuration: PoolConfiguration { pool.configuration }
}
