import HTTPPool
import Synchronization

/// Adds up the turns of one pool. Takes one lock per turn, none per event.
final class PoolMeter: PoolObserver, Sendable {
    private struct State {
        var tally: PoolTally
        var trends: PoolTrends
        var live = LiveRequests()
        var reloads = Reloads()

        /// Looks at the conditions of the pool, once a second at most.
        mutating func tick(at now: MonotonicTime) {
            let rows = tally.origins.rows
            var ages: [Int: UInt64] = [:]
            // Ages matter only where they are long.
            if let oldest = live.oldestLease, now - oldest >= UInt64(ConditionRules.leastDelay * 1e9) {
                for (origin, found) in live.agesWithoutResponse(Self.mostAges, at: now) {
                    guard let row = tally.origins.existingRow(of: Int(origin.index)) else { continue }
                    ages[row] = found[found.count / 2]
                }
            }
            if reloads.lastSucceeded == false { trends.hold(.reloadFailed, since: reloads.since, at: now, rows) }
            if tally.isEnding { trends.hold(.ending, since: nil, at: now, rows) }
            trends.tick(at: now, rows, tally.configuration, waitingAges: ages)
        }

        private static let mostAges = 1024

        var overdueAfter: UInt64 { tally.configuration.series.overdueLease.wholeNanoseconds }

        func oldest(_ count: Int) -> [Labeled] {
            live.oldest(count).map { entry in
                Labeled(
                    entry: entry,
                    origin: tally.origins.label(of: Int(entry.origin.index)),
                    site: tally.sites.label(of: Int(entry.site.index))
                )
            }
        }
    }

    /// How the settings were reloaded.
    struct Reloads: Sendable {
        /// Whether the last reload succeeded; `nil` if the settings are not followed.
        var lastSucceeded: Bool?
        var failures: UInt64 = 0
        /// Why the last one failed; `nil` if it succeeded.
        var problem: String?
        /// When the first of the last failures in a row happened.
        var since: MonotonicTime?
    }

    /// One instant of the pool.
    struct Snapshot {
        let now: MonotonicTime
        let activity: ThreadActivity
        let tally: PoolTally
        let pending: [PendingSubmission]
        let reloads: Reloads
        let oldestLease: MonotonicTime?
        /// Leases on which no byte has moved for too long.
        var overdue: [OverdueNotes.Lease] = []
    }

    /// A ``Snapshot`` with the recent past and the oldest requests.
    struct Details {
        let snapshot: Snapshot
        let trends: PoolTrends
        let requests: [Labeled]
    }

    /// A request with the labels of its rows.
    struct Labeled {
        let entry: LiveRequests.Entry
        let origin: String
        let site: String
    }

    /// A file can have many faults.
    private static let longestProblem = 400

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
        state = Mutex(
            State(
                tally: PoolTally(configuration: configuration, since: .secondsSince1970()),
                trends: PoolTrends(at: clock())
            )
        )
    }

    func poolDidTurn(_ turn: borrowing PoolTurn) {
        // Reads the wall clock only if the configuration changed or there are exemplars.
        let wall = turn.hasConfiguration || !turn.traces.isEmpty ? Double.secondsSince1970() : nil
        state.withLock { state in
            state.tally.add(turn, &state.trends, wall: wall)
            for event in turn.events { state.live.add(event) }
            if state.trends.isTickDue(at: turn.now) { state.tick(at: turn.now) }
        }
    }

    /// Everything at one instant.
    ///
    /// The time, the submissions that no turn has reported yet and the thread's activity are read under the lock that a
    /// turn takes, so that no turn can fall between them. The pool must therefore report turns without holding a lock
    /// that these take. Nothing is rendered under the lock: the pool waits for copying only.
    func read(_ pool: any ObservablePool) -> Snapshot {
        let (snapshot, old) = state.withLock { takeSnapshot(of: pool, &$0) }
        return notingOverdue(old, snapshot, pool)
    }

    /// Everything at one instant, with the recent past and the `count` oldest leases and waiters.
    func details(_ pool: any ObservablePool, oldest count: Int) -> Details {
        // Overdue leases are noted first, so that conditions and events have them.
        _ = read(pool)
        let (snapshot, old, trends, requests) = state.withLock { state in
            let (snapshot, old) = takeSnapshot(of: pool, &state)
            state.trends.advance(to: snapshot.now, state.tally.origins.rows, state.tally.sites.rows)
            state.tick(at: snapshot.now)
            return (snapshot, old, state.trends, state.oldest(count))
        }
        return Details(snapshot: notingOverdue(old, snapshot, pool), trends: trends, requests: requests)
    }

    private func takeSnapshot(of pool: any ObservablePool, _ state: inout State) -> (
        Snapshot, old: [LiveRequests.Entry]
    ) {
        // Before the submissions are read: none of those that are missing was made before it.
        let now = clock()
        let pending = pool.pendingSubmissions()
        let activity = pool.activity
        state.tally.advance(to: now)
        state.tally.notePeak(pending)
        if case .working(let since) = activity {
            state.trends.noteTurn(since: since, at: now, state.tally.origins.rows)
        }
        let limit = MonotonicTime(nanoseconds: now.nanoseconds - min(state.overdueAfter, now.nanoseconds))
        let snapshot = Snapshot(
            now: now,
            activity: activity,
            tally: state.tally,
            pending: pending,
            reloads: state.reloads,
            oldestLease: state.live.oldestLease
        )
        return (snapshot, pool.facts.contains(.leaseStates) ? state.live.leases(until: limit) : [])
    }

    /// Finds the overdue ones of old leases. The pool is asked without a lock being held, as it may take one of its own.
    private func notingOverdue(
        _ old: [LiveRequests.Entry],
        _ snapshot: Snapshot,
        _ pool: any ObservablePool
    ) -> Snapshot {
        guard !old.isEmpty else { return snapshot }
        let origins = snapshot.tally.origins
        let threshold = snapshot.tally.configuration.series.overdueLease.wholeNanoseconds
        var snapshot = snapshot
        snapshot.overdue = old.compactMap { entry in
            guard let lease = pool.state(of: entry.key, since: entry.since), snapshot.now - lease.moved >= threshold,
                let row = origins.existingRow(of: Int(entry.origin.index))
            else { return nil }
            return OverdueNotes.Lease(
                number: entry.key.number,
                connection: entry.connection,
                row: row,
                site: snapshot.tally.sites.label(of: Int(entry.site.index)),
                phase: lease.phase,
                since: entry.since,
                moved: lease.moved
            )
        }
        guard !snapshot.overdue.isEmpty else { return snapshot }
        state.withLock { state in
            let limit = state.tally.configuration.limits.maxConnections
            let rows = state.tally.origins.rows
            state.trends.note(snapshot.overdue, at: snapshot.now, after: threshold, limit: limit, rows)
        }
        return snapshot
    }

    /// The settings were reloaded, or could not be.
    func noteReload(succeeded: Bool, problem: String? = nil) {
        state.withLock { state in
            let now = clock()
            state.reloads.problem = succeeded ? nil : problem.map { String($0.prefix(Self.longestProblem)) }
            if !succeeded { state.reloads.failures += 1 }
            if succeeded || state.reloads.lastSucceeded != false { state.reloads.since = succeeded ? nil : now }
            state.reloads.lastSucceeded = succeeded
            state.trends.note(succeeded ? .reloaded : .reloadFailed, at: now)
        }
    }

    /// The oldest requests, with the labels of their rows: leases first, `count` of each kind at most.
    func oldest(_ count: Int) -> [Labeled] { state.withLock { $0.oldest(count) } }
}
