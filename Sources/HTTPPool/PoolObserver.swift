/// Observes a pool. A pool has at most one observer, installed before its first request and kept until the pool
/// ends.
public protocol PoolObserver: AnyObject, Sendable {
    /// Called once per turn, on the pool's thread, before any caller gets a result of the turn.
    ///
    /// The call blocks the pool, so copy what you need and return. The turn is valid only during the call, because
    /// its arrays are reused.
    func poolDidTurn(_ turn: borrowing PoolTurn)
}
