private import CurlPool
public import HTTPPool
private import HTTPTypes
public import Load
public import PoolMetrics

/// PoolScope's own client, bare or instrumented.
public struct PoolPeer: Peer {
    private let client: any PooledHTTPClient
    private let pool: any ObservablePool
    private let request: PoolRequest
    private let options = RequestOptions(site: CallSite("benchmark"))

    /// Starts a pool of `connections` connections for GETs of `url`.
    ///
    /// - Parameter ca: a PEM file with the certificate authority to trust in place of the system's.
    /// - Throws: `PoolError` where the system gives no thread, `ConfigurationError` where `ca` is not readable, ``InvalidURL``.
    public init(url: String, connections: Int, instrumented: Bool, ca: String? = nil) throws {
        request = try PoolRequest(url)
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = connections
        configuration.limits.maxIdleConnections = connections
        if let ca { configuration.transport.tls.trust = .only(.file(ca)) }
        let pool = try CurlClient(configuration)
        self.pool = pool
        executor = pool.executor
        client = instrumented ? try InstrumentedClient(pool) : pool
    }

    /// Sends GETs of `url` with a client that exists already.
    ///
    /// - Throws: ``InvalidURL``.
    public init(url: String, client: InstrumentedClient) throws {
        request = try PoolRequest(url)
        self.client = client
        pool = client.pool
        executor = pool.executor
    }

    /// Runs tasks on the pool's own thread.
    public let executor: (any TaskExecutor)?

    /// One GET.
    public func get() async throws -> (status: Int, bytes: Int) {
        let response = try await client.execute(request.http, body: .none, options: options)
        return (response.status.code, try await response.body.collect().count)
    }

    /// Shuts the pool down.
    public func close() async { await pool.shutdown() }
}
