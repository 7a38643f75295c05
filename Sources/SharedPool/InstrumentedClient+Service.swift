private import HTTPPool
public import PoolMetrics
public import ServiceLifecycle

extension InstrumentedClient: Service {
    /// Lives until the service group shuts down, then refuses new requests, lets running ones finish within ten
    /// seconds, and closes every connection. When the task is cancelled instead, everything ends at once.
    public func run() async throws {
        do {
            try await gracefulShutdown()
            await shutdown()
        } catch {
            await shutdown(.immediate)
        }
    }
}
