public import Configuration
private import CurlPool
private import HTTPPool
public import PoolMetrics
private import PoolTracing
private import Synchronization
public import Tracing

extension InstrumentedClient {
    /// The shared client of this process: pooled, observed, created at the first call and returned to every caller.
    ///
    /// Limits and timeouts come from the environment (`HTTP_CLIENT_MAX_CONNECTIONS` and so on, see
    /// `PoolConfiguration.init(config:)`). The client is registered in `PoolRegistry.process` as `shared`. It is a
    /// `Service`: a service group shuts it down with its other services, and then it refuses requests.
    ///
    /// - Throws: `ConfigurationError` naming every invalid variable, including the endpoint's, and every file of
    ///   certificates that cannot be used; `PoolNameError` if
    ///   another live pool is named `shared`; `PoolError` if the system has no thread or file descriptor left. An
    ///   error is not cached: the next call tries again.
    public static func shared() throws -> InstrumentedClient {
        try shared(config: ConfigReader(provider: EnvironmentVariablesProvider()))
    }

    /// Like ``shared()``, with another configuration source. Only the call that creates the client reads it.
    ///
    /// - Parameter config: the application's configuration reader.
    /// - Throws: the errors of ``shared()``.
    public static func shared(config: ConfigReader) throws -> InstrumentedClient {
        try shared(config: config) { $0 }
    }

    /// Like ``shared()``, and each request is a span; see `TracedClient`.
    ///
    /// Only the call that creates the client reads the configuration and the tracer.
    ///
    /// - Parameters:
    ///   - config: the application's configuration reader; by default the environment.
    ///   - tracer: makes the spans, such as `InstrumentationSystem.tracer` after it was bootstrapped. A `NoOpTracer` costs
    ///     nothing.
    /// - Throws: the errors of ``shared()``.
    public static func shared(
        config: ConfigReader = ConfigReader(provider: EnvironmentVariablesProvider()),
        tracer: any Tracer
    ) throws -> InstrumentedClient {
        try shared(config: config) { $0.traced(by: tracer) }
    }

    private static func shared(
        config: ConfigReader,
        through decorate: (CurlClient) -> any PooledHTTPClient
    ) throws -> InstrumentedClient {
        try ofProcess.get {
            let configuration = try PoolScopeConfiguration(
                config: config,
                checking: CurlClient.problemsOutside
            )
            let client = try CurlClient(configuration.pool)
            return try InstrumentedClient(decorate(client), pool: client, name: "shared")
        }
    }

    private static let ofProcess = MadeOnce<InstrumentedClient>()
}

/// A value that is created once, at first use, even with concurrent callers.
final class MadeOnce<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)

    /// The value. The first caller creates it while others wait. An error of `make` is not cached.
    func get(_ make: () throws -> Value) throws -> Value {
        try value.withLock { value in
            if let value { return value }
            let made = try make()
            value = made
            return made
        }
    }
}
