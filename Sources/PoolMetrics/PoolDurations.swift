/// The histograms of a pool.
public struct PoolDurations: Sendable {
    /// From submission to a ready connection.
    public internal(set) var acquired = Histogram(bounds: .waits)
    /// From submission to failure.
    public internal(set) var acquireFailed = Histogram(bounds: .waits)
    /// From submission to a slot, for requests that acquired a connection.
    public internal(set) var queuedAcquired = Histogram(bounds: .waits)
    /// From submission to a slot, or to the end without one, for requests that acquired no connection.
    public internal(set) var queuedFailed = Histogram(bounds: .waits)
    /// From the decision to open a connection until it was usable.
    public internal(set) var connected = Histogram(bounds: .waits)
    /// From the decision to open a connection until it failed.
    public internal(set) var connectFailed = Histogram(bounds: .waits)
    /// How long requests held their connections.
    public internal(set) var lease = Histogram(bounds: .leases)
    /// From acquisition to the head of the final response.
    public internal(set) var timeToHead = Histogram(bounds: .waits)
    /// How long usable connections existed.
    public internal(set) var connectionLifetime = Histogram(bounds: .lifetimes)
    /// How many requests a connection had served when it was closed.
    public internal(set) var connectionRequests = Histogram(bounds: .requests)

    init() {}

    /// How many exemplars there are.
    var exemplarCount: Int {
        [
            acquired, acquireFailed, queuedAcquired, queuedFailed, connected, connectFailed, lease, timeToHead,
        ].reduce(0) { count, histogram in count + histogram.exemplars.count { $0 != nil } }
    }
}
