public import HTTPPool

/// A connection pool whose work is recorded under a name.
///
/// While it is alive it is in a ``PoolRegistry``, from which the endpoint reads every pool of the process. A client that sends
/// HTTP requests is measured by an ``InstrumentedClient``, which has one of these.
public final class MeasuredPool: Sendable {
    /// The value of the label `pool` in all metrics of the pool.
    public let name: String
    /// The pool itself: the limits in force, `ObservablePool.reconfigure(_:)`.
    public let pool: any ObservablePool
    private let meter: PoolMeter
    private let registry: PoolRegistry

    /// Measures a pool that has not been used yet.
    ///
    /// - Parameters:
    ///   - pool: the pool to measure.
    ///   - name: 1 to 64 bytes of UTF-8 without control characters. It must not be taken from input.
    ///   - registry: where the pool is to be found.
    /// - Throws: ``PoolNameError`` if the name is invalid, or a living pool has it; `PoolError` with code
    ///   `observerRefused` if the pool has an observer already, or has begun to work without one. Then the name stays free.
    public init(_ pool: any ObservablePool, name: String = "default", registry: PoolRegistry = .process) throws {
        try PoolNameError.check(name)
        self.name = name
        self.pool = pool
        self.registry = registry
        self.meter = PoolMeter(configuration: pool.configuration)
        // The name first: a pool that was attached to a meter in vain could not be given to another. Where the pool
        // refuses the meter, `deinit` frees the name.
        try registry.add(self)
        try pool.attach(meter)
    }

    deinit { registry.remove(self) }

    /// What the pool is and has done, at one instant between two of its turns. It can still be read after the shutdown.
    public func reading() -> PoolReading {
        let (tally, pending) = meter.read(pending: pool.pendingSubmissions)
        return PoolReading(name: name, pool: pool, now: .now(), tally: tally, pending: pending)
    }

    /// Shuts the pool down. When its last connection is closed the pool leaves the registry and its name is free again.
    public func shutdown(_ policy: ShutdownPolicy = ShutdownPolicy()) async {
        await pool.shutdown(policy)
        registry.remove(self)
    }
}
