private import HTTPPool
public import PoolMetrics
public import ServiceLifecycle

extension InstrumentedClient: Service {
    /// Runs until the service group shuts down, then refuses new requests, gives running ones 10 seconds to finish,
    /// and closes every connection. If the task is cancelled instead, all requests end at once.
    public func run() async throws {
        do {
            try await gracefulShutdown()
            await shutdown()
        } catch {
            await shutdown(.immediate)
        }
    }
}
