/// Learns what a pool does. A pool has at most one observer, from before its first request to the end of its life.
public protocol PoolObserver: AnyObject, Sendable {
    /// Called once per turn, on the pool's own thread and before any caller learns of a result of the turn.
    ///
    /// The pool stands still meanwhile: take what is needed and return. The turn is only lent; its arrays are reused.
    func poolDidTurn(_ turn: borrowing PoolTurn)
}
