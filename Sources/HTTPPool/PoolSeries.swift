/// How much the metrics of a pool keep apart, and when they call a lease overdue.
///
/// Every origin and call site has series of its own, up to a maximum; the rest share the label `other`. So the number
/// of series is bounded whatever the pool is asked for.
public struct PoolSeries: Sendable, Hashable {
    /// Maximum number of origins with series of their own.
    public var maxOrigins: Int = 64
    /// Maximum number of call sites with series of their own.
    public var maxCallSites: Int = 32
    /// How long an origin or call site must have had neither connections nor requests before its series may be given up
    /// for another's.
    public var retention: Duration = .seconds(600)
    /// How long no byte of a request that holds a connection must have moved for it to be overdue.
    public var overdueLease: Duration = .seconds(60)

    /// The defaults: 64 origins, 32 call sites, ten minutes, one minute.
    public init() {}
}
