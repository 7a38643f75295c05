import PoolMetrics

/// The published series of one pool. A pool of the same name that is made later is another one.
struct BridgedPool {
    var series = BridgedSeries()
    /// Weak, so that the bridge does not keep a pool alive. A weak reference also tells two pools apart that had the same
    /// address one after the other.
    private weak var pool: MeasuredPool?
    /// Whether the numbers at the end were published.
    private var isFinal = false
    private(set) var hasEnded = false

    init(_ pool: MeasuredPool) { self.pool = pool }

    /// What is to be done if the pool is not in the registry any more.
    ///
    /// At first its last numbers are published, if somebody still has the pool. At the next call, or at once if another
    /// pool has its name, its series end.
    ///
    /// - Parameter live: the pool that has the name now.
    mutating func changesIfEnded(live: MeasuredPool?) -> [BridgedSeries.Change] {
        if let live, live === pool { return [] }
        var changes: [BridgedSeries.Change] = []
        if let pool, !isFinal {
            isFinal = true
            changes = series.changes(to: ExposedSamples([pool.reading()], process: nil).pools[0])
            guard live != nil else { return changes }
        }
        hasEnded = true
        return changes + series.changes(to: [])
    }
}
