/// What a ledger knows of a request that is not finished.
struct LedgerRequest: Sendable {
    enum State: Equatable, Sendable {
        case queued, placed
        case acquired(ConnectionNumber?)
    }
    let origin: Origin
    let site: CallSite
    let trace: TraceID?
    /// Its place among the requests, reused once it is finished.
    let index: Int32
    /// The limit that keeps it waiting.
    var limit: PoolLimit?
    var lease = LedgerLease()
    /// When this acquisition started: at submission or at the retry.
    var began: MonotonicTime
    var placed: MonotonicTime?
    var acquired: MonotonicTime?
    var state = State.queued
}

/// What a ledger knows of a connection that is not closed.
struct LedgerConnection: Sendable {
    let origin: Origin
    let opening: MonotonicTime
    var opened: MonotonicTime?
    var leases = 0
    var served: UInt32 = 0
}
