import HTTPPool
import Synchronization

/// The live measured pools, by name.
///
/// A process needs one, ``process``, which the endpoint reads. A pool is registered when it is wrapped. When its shutdown
/// has completed or its last reference is released, its name is available again, and its last numbers are served for
/// five minutes, or until another pool takes the name, so that a scrape sees its levels at zero.
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

    private struct State {
        var live: [String: Entry] = [:]
        /// Those that ended last, the oldest first.
        var ended: [EndedPool] = []
        /// How many were added so far.
        var added = 0
    }

    private let state = Mutex(State())
    private let census = CensusHistory()
    private let clock: @Sendable () -> MonotonicTime

    /// The numbers of so many ended pools are kept,
    private static let mostEnded = 8
    /// and for so long, in nanoseconds.
    private static let endedPeriod: UInt64 = 300_000_000_000

    /// Creates an empty registry, for tests or to expose some pools separately.
    public convenience init() { self.init(clock: MonotonicTime.now) }

    init(clock: @escaping @Sendable () -> MonotonicTime) { self.clock = clock }

    /// The live pools, in no order.
    package var pools: [MeasuredPool] { state.withLock { Array($0.live.values) }.compactMap(\.pool) }

    /// Readings of all pools, those included that ended a short time ago, sorted by name.
    public func readings() -> [PoolReading] {
        let (entries, ended) = current()
        let readings = entries.compactMap { $0.pool?.reading() } + ended.map { $0.reading() }
        return readings.sorted { $0.name < $1.name }
    }

    /// Reports of all pools, those included that ended a short time ago, sorted by name.
    ///
    /// - Parameter count: the maximum number of leases, and of requests that wait for a connection, of each pool.
    package func reports(oldest count: Int = 1000) -> [PoolReport] {
        let (entries, ended) = current()
        let reports = entries.compactMap { $0.pool?.report(oldest: count) } + ended.map { $0.report() }
        return reports.sorted { $0.reading.name < $1.reading.name }
    }

    /// How many pools were added so far.
    package var poolsAdded: Int { state.withLock { $0.added } }

    /// The clients that were made in the last minute, and how many more are alive; `nil` if nobody read the pools a minute
    /// ago.
    package func clientsLately() -> (made: Int, grown: Int)? {
        let counts = PoolCensus.counts
        return census.lately(created: counts.created, alive: counts.alive, at: clock())
    }

    private func current() -> ([Entry], [EndedPool]) {
        let now = clock()
        let counts = PoolCensus.counts
        census.note(created: counts.created, alive: counts.alive, at: now)
        return state.withLock { state in
            state.ended.removeAll { now - $0.ended > Self.endedPeriod }
            // A pool that is just taking the name of an ended one takes its place.
            return (Array(state.live.values), state.ended.filter { state.live[$0.name] == nil })
        }
    }

    /// Reserves the pool's name.
    ///
    /// Neither this nor ``remove(_:)`` and ``end(_:)`` loads the weak reference of an entry. Loading would retain the pool
    /// for a moment; if its last owner released it then, its `deinit` would run here and deadlock on the lock.
    ///
    /// - Throws: ``PoolNameError`` if a live pool has the name.
    func add(_ pool: MeasuredPool) throws {
        try state.withLock { state in
            guard state.live[pool.name] == nil else { throw PoolNameError(name: pool.name, problem: .taken) }
            state.live[pool.name] = Entry(pool)
            state.added += 1
        }
    }

    /// The pool, which was added, is observed from now on. Its series take the place of those of an ended pool with its
    /// name.
    func begin(_ pool: MeasuredPool) {
        state.withLock { state in state.ended.removeAll { $0.name == pool.name } }
    }

    /// Releases the name of a pool that could not be observed.
    func remove(_ pool: MeasuredPool) {
        let id = ObjectIdentifier(pool)
        state.withLock { state in
            if state.live[pool.name]?.id == id { state.live[pool.name] = nil }
        }
    }

    /// Releases the pool's name and keeps its numbers. Does nothing if the pool was removed before.
    func end(_ pool: MeasuredPool) {
        let id = ObjectIdentifier(pool)
        let ended = EndedPool(pool, at: clock())
        state.withLock { state in
            guard state.live[pool.name]?.id == id else { return }
            state.live[pool.name] = nil
            state.ended.append(ended)
            if state.ended.count > Self.mostEnded { state.ended.removeFirst() }
        }
    }
}
