import Synchronization

/// The measured pools that are alive, each under its name.
///
/// A process needs one, ``process``, which the endpoint reads. A pool is in it from when it is wrapped until its
/// shutdown has completed, or until nobody holds it any more.
public final class PoolRegistry: Sendable {
    /// The registry of the process.
    public static let process = PoolRegistry()

    /// The registry keeps no pool alive: one that its owner dropped is gone from here too.
    private final class Entry: Sendable {
        let id: ObjectIdentifier
        weak let pool: MeasuredPool?

        init(_ pool: MeasuredPool) {
            self.id = ObjectIdentifier(pool)
            self.pool = pool
        }
    }

    private let entries = Mutex<[String: Entry]>([:])

    /// An empty registry, for a test or for pools that are to be shown apart.
    public init() {}

    /// A reading of every pool, sorted by name.
    public func readings() -> [PoolReading] {
        let pools = entries.withLock { $0.values.compactMap(\.pool) }
        return pools.map { $0.reading() }.sorted { $0.name < $1.name }
    }

    /// Takes a name for a pool.
    ///
    /// The weak reference is not loaded here, nor in ``remove(_:)``: that would hold the pool for a moment, and if its last
    /// owner let go of it in this moment, its `deinit` would wait for the lock that is held.
    ///
    /// - Throws: ``PoolNameError`` if a living pool has it.
    func add(_ pool: MeasuredPool) throws {
        try entries.withLock { entries in
            guard entries[pool.name] == nil else { throw PoolNameError(name: pool.name, problem: .taken) }
            entries[pool.name] = Entry(pool)
        }
    }

    /// Frees the name of a pool. Another pool that has taken it since keeps it.
    func remove(_ pool: MeasuredPool) {
        let id = ObjectIdentifier(pool)
        entries.withLock { entries in
            if entries[pool.name]?.id == id { entries[pool.name] = nil }
        }
    }
}
