import HTTPPool

/// The turn that reports a request submitted after the pool had ended.
struct Refusal {
    let origin: Origin
    /// The number of the last submission that the pool accepted.
    let lastNumber: UInt64

    func turn(at now: MonotonicTime) -> PoolTurn {
        var turn = PoolTurn(now: now)
        let id = OriginID(index: 0)
        turn.takenThrough = lastNumber
        turn.newOrigins = [(id, origin)]
        turn.events = [PoolEvent(.acquireFailed(.shutdown, waited: 0), id)]
        return turn
    }
}
