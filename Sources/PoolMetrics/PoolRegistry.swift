import Synchronization

/// The live measured pools, by name.
///
/// A process needs one, ``process``, which the endpoint reads. A pool is registered when it is wrapped, and removed
/// when its shutdown has completed or its last reference is released.
public final class PoolRegistry: Sendable {
    /// The registry of the process.
    public static let process = PoolRegistry()

    /// A weak reference, so that the registry does not keep a pool alive.
    private final class Entry: Sendable {
        let id: ObjectIdentifier
        weak let pool: MeasuredPool?

        init(_ pool: MeasuredPool) {
            self.id = ObjectIdentifier(pool)
            self.pool = pool
        }
    }

    private let entries = Mutex<[String: Entry]>([:])

    /// Creates an empty registry, for tests or to expose some pools separately.
    public init() {}

    /// All pools, in no order.
    package var pools: [MeasuredPool] { entries.withLock { $0.values.compactMap(\.pool) } }

    /// Readings of all pools, sorted by name.
    public func readings() -> [PoolReading] {
        pools.map { $0.reading() }.sorted { $0.name < $1.name }
    }

    /// Reserves the pool's name.
    ///
    /// Neither this nor ``remove(_:)`` loads the weak reference. Loading would retain the pool for a moment; if its
    /// last owner released it then, its `deinit` would run here and deadlock on the lock.
    ///
    /// - Throws: ``PoolNameError`` if a live pool has the name.
    func add(_ pool: MeasuredPool) throws {
        try entries.withLock { entries in
            guard entries[pool.name] == nil else { throw PoolNameError(name: pool.name, problem: .taken) }
            entries[pool.name] = Entry(pool)
        }
    }

    /// Releases the pool's name, unless another pool has reserved it since.
    func remove(_ pool: MeasuredPool) {
        let id = ObjectIdentifier(pool)
        entries.withLock { entries in
            if entries[pool.name]?.id == id { entries[pool.name] = nil }
        }
    }
}
