import HTTPPool
import Synchronization

/// Adds up the turns of one pool. Takes one lock per turn, none per event.
final class PoolMeter: PoolObserver, Sendable {
    private let tally: Mutex<PoolTally>

    /// - Parameter configuration: the limits and timeouts in force until a turn reports others.
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
        // Reads the wall clock only if the configuration changed.
        let changed = turn.hasConfiguration ? Double.secondsSince1970() : nil
        tally.withLock { $0.add(turn, configurationChanged: changed) }
    }

    /// The tally, and the submissions that no turn has reported yet.
    ///
    /// The submissions are read under the lock that a turn takes, so that no turn can fall between the two. The
    /// pool must therefore report turns without holding a lock that `pending` takes. Nothing is computed under the
    /// lock: the pool waits for copying only.
    func read(pending: () -> [PendingSubmission]) -> (tally: PoolTally, pending: [PendingSubmission]) {
        tally.withLock { ($0, pending()) }
    }
}
