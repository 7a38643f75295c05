private import Synchronization

/// Counts the clients of the process that own connections, of every library that reports them, for
/// `http_client_pools` and `http_client_pools_created_total`.
///
/// A service that shares its client has a constant number of them. A count that grows with traffic means that
/// clients are created per request. Only the number is counted, so a client need not be measured to be part of it:
///
/// ```swift
/// final class CountedClient {
///     let client = HTTPClient()
///     private let membership = PoolCensus.join()
/// }
/// ```
public enum PoolCensus {
    private static let created = Atomic<UInt64>(0)
    private static let ended = Atomic<UInt64>(0)

    /// Counts a client that was created.
    ///
    /// - Returns: its membership, to be kept for as long as the client has connections.
    public static func join() -> Membership {
        created.add(1, ordering: .relaxed)
        return Membership()
    }

    /// The membership of one client. It ends with ``end()``, or when its last reference is released.
    public final class Membership: Sendable {
        private let hasEnded = Atomic<Bool>(false)

        fileprivate init() {}

        deinit { end() }

        /// Counts the client as ended: its last connection is closed. Further calls have no effect.
        public func end() {
            if !hasEnded.exchange(true, ordering: .relaxed) { PoolCensus.ended.add(1, ordering: .releasing) }
        }
    }

    /// The number of clients ever created, and of those not ended.
    public static var counts: (created: UInt64, alive: UInt64) {
        // Reading `ended` first keeps the difference from going negative if a client ends between the reads.
        let ended = ended.load(ordering: .acquiring)
        let created = created.load(ordering: .acquiring)
        return (created, created - ended)
    }
}
