public import Configuration
private import CurlPool
private import HTTPPool
public import PoolMetrics
private import Synchronization

extension InstrumentedClient {
    /// The one client of this process: pooled, measured, made at the first call, and the same for every caller.
    ///
    /// Its limits and timeouts come from the environment (`HTTP_CLIENT_MAX_CONNECTIONS` and so on, see
    /// `PoolConfiguration.init(config:)`). It is in ``PoolMetrics/PoolRegistry/process`` under the name `shared`, and
    /// it is a `Service`: in a service group it is shut down with the others. After that it refuses requests.
    ///
    /// - Throws: `ConfigurationError` naming every wrong variable, those of the endpoint included, `PoolNameError` if another living pool is called
    ///   `shared`, `PoolError` if the system gives no thread or descriptor. Nothing is kept then: the next call tries
    ///   again.
    public static func shared() throws -> InstrumentedClient {
        try shared(config: ConfigReader(provider: EnvironmentVariablesProvider()))
    }

    /// As ``shared()``, with another source of configuration. Only the call that makes the client reads it.
    ///
    /// - Parameter config: the reader of the application.
    /// - Throws: what ``shared()`` throws.
    public static func shared(config: ConfigReader) throws -> InstrumentedClient {
        try ofProcess.get {
            try InstrumentedClient(CurlClient(PoolScopeConfiguration(config: config).pool), name: "shared")
        }
    }

    private static let ofProcess = MadeOnce<InstrumentedClient>()
}

/// A value that is made at its first use, once, whoever comes at the same time.
final class MadeOnce<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)

    /// The value; the first caller makes it while the others wait. What `make` throws is not kept.
    func get(_ make: () throws -> Value) throws -> Value {
        try value.withLock { value in
            if let value { return value }
            let made = try make()
            value = made
            return made
        }
    }
}
