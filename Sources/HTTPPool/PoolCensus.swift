private import Synchronization

/// Counts the pools of the process, observed or not, for `http_client_pools` and `http_client_pools_created_total`.
///
/// A service that shares its client has a constant number of pools. A count that grows with traffic means that
/// clients are created per request.
public enum PoolCensus {
    private static let created = Atomic<UInt64>(0)
    private static let ended = Atomic<UInt64>(0)

    /// Counts a new pool. Every implementation of ``PooledHTTPClient`` that owns connections must call it.
    public static func poolCreated() { created.add(1, ordering: .relaxed) }

    /// Counts a pool that has closed its last connection.
    public static func poolEnded() { ended.add(1, ordering: .relaxed) }

    /// The number of pools ever created, and of those not ended.
    public static var counts: (created: UInt64, alive: UInt64) {
        // Reading `ended` first keeps the difference from going negative if a pool ends between the reads.
        let ended = ended.load(ordering: .acquiring)
        let created = created.load(ordering: .acquiring)
        return (created, created - ended)
    }
}
