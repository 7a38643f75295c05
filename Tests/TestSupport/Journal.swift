package import HTTPPool
import Synchronization

/// An observer that keeps everything it is told.
package final class Journal: PoolObserver {
    private struct State {
        var events: [PoolEvent] = []
        var levels: [Int32: OriginLevels] = [:]
        var turns = 0
    }
    private let state = Mutex(State())

    package init() {}

    package func poolDidTurn(_ turn: borrowing PoolTurn) {
        let events = turn.events
        let origins = turn.origins
        state.withLock { state in
            state.turns += 1
            state.events += events
            for origin in origins { state.levels[origin.id.index] = origin.levels }
        }
    }

    package var events: [PoolEvent] { state.withLock { $0.events } }

    /// The levels of all origins together.
    package var levels: OriginLevels {
        state.withLock { state in
            state.levels.values.reduce(into: OriginLevels()) { sum, levels in
                sum.connections.connecting += levels.connections.connecting
                sum.connections.active += levels.connections.active
                sum.connections.idle += levels.connections.idle
                sum.requests.queued += levels.requests.queued
                sum.requests.connecting += levels.requests.connecting
                sum.requests.inFlight += levels.requests.inFlight
            }
        }
    }

    package var opened: Int { events.count { if case .connectionOpened = $0.kind { true } else { false } } }
    package var leases: Int { events.count { if case .leaseEnded = $0.kind { true } else { false } } }
    package var staleRetries: Int { events.count { if case .staleRetry = $0.kind { true } else { false } } }
    package var acquireKinds: [AcquireKind] {
        events.compactMap { if case .acquired(let kind, _, _) = $0.kind { kind } else { nil } }
    }
    package var acquireFailures: [AcquireFailure] {
        events.compactMap { if case .acquireFailed(let reason, _, _) = $0.kind { reason } else { nil } }
    }
    package var connectFailures: [ConnectFailure] {
        events.compactMap { if case .connectFailed(let reason, _) = $0.kind { reason } else { nil } }
    }
    package var closeReasons: [CloseReason] {
        events.compactMap { if case .connectionClosed(let reason, _, _) = $0.kind { reason } else { nil } }
    }
}
