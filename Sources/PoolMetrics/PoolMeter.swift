import HTTPPool
import Synchronization

/// Learns of every turn of one pool and keeps the tally. One lock is taken per turn, none per event.
final class PoolMeter: PoolObserver, Sendable {
    private let tally: Mutex<PoolTally>

    /// - Parameter configuration: the limits and timeouts that are in force, until a turn tells of others.
    init(configuration: PoolConfiguration, maxOrigins: Int = 64, maxSites: Int = 32) {
        tally = Mutex(
            PoolTally(
                configuration: configuration,
                since: .secondsSince1970(),
                maxOrigins: maxOrigins,
                maxSites: maxSites
            )
        )
    }

    func poolDidTurn(_ turn: borrowing PoolTurn) {
        // The clock on the wall is asked only where something changed for it to date.
        let changed = turn.hasConfiguration ? Double.secondsSince1970() : nil
        tally.withLock { $0.add(turn, configurationChanged: changed) }
    }

    /// The tally, and the submissions that no turn has told of yet.
    ///
    /// The submissions are read under the lock that a turn needs, so no turn can come between the two halves of the
    /// reading. The pool must therefore not hold a lock that `pending` takes while it tells of a turn. Nothing is
    /// computed here: the pool waits for no more than the copying.
    func read(pending: () -> [PendingSubmission]) -> (tally: PoolTally, pending: [PendingSubmission]) {
        tally.withLock { ($0, pending()) }
    }
}
