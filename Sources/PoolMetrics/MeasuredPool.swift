public import HTTPPool

/// A connection pool with metrics, identified by a name.
///
/// While it is alive it is in a ``PoolRegistry``, from which the endpoint reads every pool of the process. After its end
/// the registry serves its last numbers for five minutes, or until another pool takes the name. An HTTP client is
/// wrapped in an ``InstrumentedClient``, which contains one of these.
public final class MeasuredPool: Sendable {
    /// The name of the pool: the value of the `pool` label.
    public let name: String
    /// The pool itself, with the limits in force and `ObservablePool.reconfigure(_:)`.
    public let pool: any ObservablePool
    let meter: PoolMeter
    private let registry: PoolRegistry

    /// Starts to observe an unused pool.
    ///
    /// - Parameters:
    ///   - pool: the pool to observe.
    ///   - name: the pool name, 1 to 64 bytes of UTF-8 without control characters. It must not be taken from input.
    ///   - registry: the registry to add the pool to.
    /// - Throws: ``PoolNameError`` if the name is invalid or used by another live pool; `PoolError` with code
    ///   `observerRefused` if the pool already has an observer or has already accepted a request. The name stays
    ///   available then.
    public convenience init(
        _ pool: any ObservablePool,
        name: String = "default",
        registry: PoolRegistry = .process
    ) throws {
        try self.init(pool, name: name, registry: registry, clock: MonotonicTime.now)
    }

    /// Starts to observe a pool that has another clock than that of the system.
    package init(
        _ pool: any ObservablePool,
        name: String,
        registry: PoolRegistry,
        clock: @escaping @Sendable () -> MonotonicTime
    ) throws {
        try PoolNameError.check(name)
        self.name = name
        self.pool = pool
        self.registry = registry
        self.meter = PoolMeter(configuration: pool.configuration, clock: clock)
        // The name is reserved first, because an observer cannot be detached from a pool again. If the pool refuses
        // the observer, `deinit` releases the name.
        try registry.add(self)
        do {
            try pool.attach(meter)
        } catch {
            registry.remove(self)
            throw error
        }
        registry.begin(self)
    }

    deinit { registry.end(self) }

    /// A consistent snapshot of the pool, taken between two turns. It remains available after the shutdown.
    public func reading() -> PoolReading {
        PoolReading(name: name, pool: pool, meter.read(pool))
    }

    /// The requests that are not finished: leases first, then those that wait for a connection, the oldest first.
    ///
    /// - Parameter count: the maximum number of each kind.
    public func requests(oldest count: Int = 1000) -> [LiveRequest] {
        meter.oldest(count).map(live)
    }

    /// The pool at one instant, with its recent past, its conditions and its oldest requests.
    ///
    /// - Parameter count: the maximum number of leases, and of requests that wait for a connection.
    package func report(oldest count: Int = 1000) -> PoolReport {
        let details = meter.details(pool, oldest: count)
        let reading = PoolReading(name: name, pool: pool, details.snapshot)
        let pending = details.snapshot.pending.filter { $0.number > details.snapshot.tally.takenThrough }.prefix(count)
        return PoolReport(reading, details.trends, details.requests.map(live) + pending.map(LiveRequest.init))
    }

    /// The pool is asked for the phase of a lease without a lock being held, as it may take one of its own.
    private func live(_ request: PoolMeter.Labeled) -> LiveRequest {
        let entry = request.entry
        let state = entry.stage == .held ? pool.state(of: entry.key, since: entry.since) : nil
        return LiveRequest(
            number: entry.key.number,
            origin: request.origin,
            site: request.site,
            connection: entry.connection,
            phase: entry.stage?.phase ?? state?.phase,
            since: entry.since,
            moved: state?.moved
        )
    }

    /// Shuts the pool down. Once its last connection is closed, it is removed from the registry and its name is
    /// available again.
    public func shutdown(_ policy: ShutdownPolicy = ShutdownPolicy()) async {
        await pool.shutdown(policy)
        registry.end(self)
    }

    /// The settings of the pool were reloaded, or could not be. Until the first call the pool counts as one whose
    /// settings are not followed.
    ///
    /// - Parameters:
    ///   - succeeded: whether they could be.
    ///   - problem: why they could not be, such as the file and the key that is wrong. It is shown on pages, so it must contain no
    ///     secret.
    public func noteReload(succeeded: Bool, problem: String? = nil) {
        meter.noteReload(succeeded: succeeded, problem: problem)
    }
}
