import HTTPPool
import Synchronization
import TestSupport

/// An observer that checks every turn against what is to hold in each, and keeps what it was told.
final class TurnAudit: PoolObserver {
    private struct Account {
        var levels = OriginLevels()
        var open = 0
        var acquired = 0
        var ended = 0
    }
    private struct State {
        var accounts: [Int32: Account] = [:]
        var broken: [String] = []
    }
    let journal = Journal()
    private let maxConnections: Int
    private let state = Mutex(State())

    init(maxConnections: Int) { self.maxConnections = maxConnections }

    /// What did not hold; nothing, as it should be.
    var broken: [String] { state.withLock { $0.broken } }

    func poolDidTurn(_ turn: borrowing PoolTurn) {
        let (newOrigins, events, origins) = (turn.newOrigins, turn.events, turn.origins)
        state.withLock { state in
            for new in newOrigins { state.accounts[new.id.index] = Account() }
            for event in events {
                let id = event.origin
                switch event.kind {
                case .connectionOpened: state.accounts[id.index, default: Account()].open += 1
                case .connectionClosed: state.accounts[id.index, default: Account()].open -= 1
                case .acquired: state.accounts[id.index, default: Account()].acquired += 1
                case .leaseEnded: state.accounts[id.index, default: Account()].ended += 1
                default: break
                }
            }
            for origin in origins { state.accounts[origin.id.index, default: Account()].levels = origin.levels }
            for (id, account) in state.accounts {
                state.broken += Self.faults(of: account).map { "\($0) (origin \(id))" }
            }
            let connections = state.accounts.values.reduce(0) { $0 + $1.levels.connections.total }
            if connections > maxConnections { state.broken.append("\(connections) connections") }
        }
        journal.poolDidTurn(turn)
    }

    private static func faults(of account: Account) -> [String] {
        let (connections, requests) = (account.levels.connections, account.levels.requests)
        var faults: [String] = []
        if account.open != connections.active + connections.idle {
            faults.append("\(account.open) open, but \(connections.active) active and \(connections.idle) idle")
        }
        if connections.active > requests.inFlight {
            faults.append("\(connections.active) active, but \(requests.inFlight) in flight")
        }
        if account.acquired != account.ended + requests.inFlight {
            faults.append("\(account.acquired) acquired, but \(account.ended) ended and \(requests.inFlight) in flight")
        }
        let levels = [
            connections.connecting, connections.active, connections.idle, requests.queued, requests.connecting,
            requests.inFlight,
        ]
        if levels.contains(where: { $0 < 0 }) { faults.append("a level is negative: \(levels)") }
        return faults
    }
}
