import HTTPPool
import Synchronization

/// Adds up the turns of one pool. Takes one lock per turn, none per event.
final class PoolMeter: PoolObserver, Sendable {
    private struct State {
        var tally: PoolTally
        var live = LiveRequests()
        var reloads = Reloads()
    }

    /// How the settings were reloaded.
    struct Reloads: Sendable {
        /// Whether the last reload succeeded; `nil` if the settings are not followed.
        var lastSucceeded: Bool?
        var failures: UInt64 = 0
    }

    /// One instant of the pool.
    struct Snapshot {
        let now: MonotonicTime
        let activity: ThreadActivity
        let tally: PoolTally
        let pending: [PendingSubmission]
        let reloads: Reloads
        let oldestLease: MonotonicTime?
        /// Leases old enough to be overdue.
        let oldLeases: [LiveRequests.Entry]
    }

    private let state: Mutex<State>
    private let clock: @Sendable () -> MonotonicTime

    /// - Parameters:
    ///   - configuration: the limits and timeouts in force until a turn reports others.
    ///   - clock: the pool's clock.
    init(
        configuration: PoolConfiguration,
        clock: @escaping @Sendable () -> MonotonicTime = MonotonicTime.now
    ) {
        self.clock = clock
        state = Mutex(State(tally: PoolTally(configuration: configuration, since: .secondsSince1970())))
    }

    func poolDidTurn(_ turn: borrowing PoolTurn) {
        // Reads the wall clock only if the configuration changed or there are exemplars.
        let wall = turn.hasConfiguration || !turn.traces.isEmpty ? Double.secondsSince1970() : nil
        state.withLock { state in
            state.tally.add(turn, wall: wall)
            for event in turn.events { state.live.add(event) }
        }
    }

    /// Everything at one instant.
    ///
    /// The time, the submissions that no turn has reported yet and the thread's activity are read under the lock that a
    /// turn takes, so that no turn can fall between them. The pool must therefore report turns without holding a lock
    /// that these take. Nothing is rendered under the lock: the pool waits for copying only.
    ///
    func read(_ pool: any ObservablePool) -> Snapshot {
        state.withLock { state in
            let pending = pool.pendingSubmissions()
            let activity = pool.activity
            let now = clock()
            state.tally.advance(to: now)
            let threshold = state.tally.configuration.series.overdueLease.wholeNanoseconds
            let limit = MonotonicTime(nanoseconds: now.nanoseconds - min(threshold, now.nanoseconds))
            return Snapshot(
                now: now,
                activity: activity,
                tally: state.tally,
                pending: pending,
                reloads: state.reloads,
                oldestLease: state.live.oldestLease,
                oldLeases: state.live.leases(until: limit)
            )
        }
    }

    /// The settings were reloaded, or could not be.
    func noteReload(succeeded: Bool) {
        state.withLock { state in
            state.reloads.lastSucceeded = succeeded
            if !succeeded { state.reloads.failures += 1 }
        }
    }

    /// The oldest requests, with the labels of their rows: leases first, `count` of each kind at most.
    func oldest(_ count: Int) -> [(entry: LiveRequests.Entry, origin: String, site: String)] {
        state.withLock { state in
            state.live.oldest(count).map { entry in
                let origin = state.tally.origins.label(of: Int(entry.origin.index))
                return (entry, origin, state.tally.sites.label(of: Int(entry.site.index)))
            }
        }
    }
}
