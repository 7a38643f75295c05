import HTTPPool

/// The turn that tells of a request which came after the pool had ended.
struct Refusal {
    let origin: Origin
    /// The last submission that the pool had taken.
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
