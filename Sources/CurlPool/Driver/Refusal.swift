import HTTPPool

/// The turn that reports a request submitted after the pool had ended.
struct Refusal {
    let origin: Origin
    let site: CallSite
    let trace: TraceID?
    /// The number of the last submission that the pool accepted.
    let lastNumber: UInt64

    init(_ exchange: Exchange, lastNumber: UInt64) {
        origin = exchange.request.origin
        site = exchange.site
        trace = exchange.request.trace
        self.lastNumber = lastNumber
    }

    func turn(at now: MonotonicTime) -> PoolTurn {
        var turn = PoolTurn(now: now)
        let id = OriginID(index: 0)
        turn.takenThrough = lastNumber
        turn.newOrigins = [PoolTurn.NewOrigin(id, origin)]
        turn.append(PoolEvent(.acquireFailed(.shutdown, waited: 0, queued: 0), id, at: now, site: site), of: trace)
        return turn
    }
}
