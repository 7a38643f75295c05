public import HTTPPool
public import HTTPTypes

/// A pooled HTTP client that is measured. It wraps any other and is used in its place.
public final class InstrumentedClient: PooledHTTPClient {
    /// The pool behind the client, as it is recorded.
    public let measured: MeasuredPool
    private let client: any PooledHTTPClient

    /// Wraps a client that has not been used yet, and that is its own pool.
    ///
    /// - Parameters:
    ///   - client: the client to measure.
    ///   - name: 1 to 64 bytes of UTF-8 without control characters. It must not be taken from input.
    ///   - registry: where the pool is to be found.
    /// - Throws: ``PoolNameError`` if the name is invalid, or a living pool has it; `PoolError` with code
    ///   `observerRefused` if the pool has an observer already, or has begun to work without one. Then the name stays free.
    public convenience init(
        _ client: any PooledHTTPClient & ObservablePool,
        name: String = "default",
        registry: PoolRegistry = .process
    ) throws {
        try self.init(client, pool: client, name: name, registry: registry)
    }

    /// Wraps a client whose pool is recorded elsewhere, by a `PoolRecorder` for example.
    ///
    /// - Parameters:
    ///   - client: sends the requests.
    ///   - pool: what reports them, and what ``shutdown(_:)`` ends.
    ///   - name: 1 to 64 bytes of UTF-8 without control characters. It must not be taken from input.
    ///   - registry: where the pool is to be found.
    /// - Throws: ``PoolNameError`` and `PoolError`, as ``MeasuredPool/init(_:name:registry:)`` does.
    public init(
        _ client: any PooledHTTPClient,
        pool: any ObservablePool,
        name: String = "default",
        registry: PoolRegistry = .process
    ) throws {
        self.client = client
        measured = try MeasuredPool(pool, name: name, registry: registry)
    }

    /// The value of the label `pool` in all metrics of the client.
    public var name: String { measured.name }

    /// The pool, to change its limits (`ObservablePool.reconfigure(_:)`) for example.
    public var pool: any ObservablePool { measured.pool }

    /// What the pool is and has done, at one instant between two of its turns.
    public func reading() -> PoolReading { measured.reading() }

    /// Sends a request and returns the response, as the wrapped client does.
    public func execute(
        _ request: HTTPRequest,
        body: HTTPRequestBody,
        options: RequestOptions
    ) async throws -> PooledResponse {
        try await client.execute(request, body: body, options: options)
    }

    /// Shuts the pool down. When its last connection is closed the pool leaves the registry and its name is free again.
    public func shutdown(_ policy: ShutdownPolicy = ShutdownPolicy()) async { await measured.shutdown(policy) }
}

extension InstrumentedClient: ConfiguredClient {
    /// The limits and timeouts in force, each with its source.
    public var configuration: PoolConfiguration { pool.configuration }
}
