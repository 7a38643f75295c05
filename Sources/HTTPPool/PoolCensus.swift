private import Synchronization

/// Counts the pools of this process, measured or not: `http_client_pools` and `http_client_pools_created_total`.
///
/// A service that shares its client has as many as it meant to. A count that rises with the traffic is the fault
/// that PoolScope exists to show.
public enum PoolCensus {
    private static let created = Atomic<UInt64>(0)
    private static let ended = Atomic<UInt64>(0)

    /// A pool was made. Every implementation of ``PooledHTTPClient`` that owns connections says so.
    public static func poolCreated() { created.add(1, ordering: .relaxed) }

    /// A pool has closed its last connection.
    public static func poolEnded() { ended.add(1, ordering: .relaxed) }

    /// Pools ever made, and pools alive now.
    public static var counts: (created: UInt64, alive: UInt64) {
        // In this order, a pool that ends between the two reads cannot make more ended than created.
        let ended = ended.load(ordering: .acquiring)
        let created = created.load(ordering: .acquiring)
        return (created, created - ended)
    }
}
