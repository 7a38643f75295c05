import HTTPPool

@testable import PoolDecisions

/// Peers that refuse everything, and what becomes of those who lost their place: accounts of the model's own.
extension ModelledPool {
    struct RefusalAccount {
        /// Connections that have refused requests, and brought no response, since the last response.
        var inARow = 0
        /// The same, whether the pool has forgotten them or not.
        var sinceResponse = 0
        var last = MonotonicTime(nanoseconds: 0)
    }

    /// So long after its last refusal an origin may be forgotten.
    private static let memory: UInt64 = 10_000_000_000

    mutating func responded(_ slot: SlotID) {
        connections[slot]?.hasResponded = true
        if let host = connections[slot]?.host { refusals[host] = nil }
    }

    mutating func refused(_ slot: SlotID) {
        guard let connection = connections[slot], !connection.hasResponded, !connection.hasRefused else { return }
        connections[slot]?.hasRefused = true
        var account = refusals[connection.host] ?? RefusalAccount()
        if rig.now - account.last >= Self.memory { account.inARow = 0 }
        account.inARow += 1
        account.sinceResponse += 1
        account.last = rig.now
        refusals[connection.host] = account
    }

    /// The account of a host that has refused two connections in a row, and not too long ago.
    private func refusing(_ host: Int) -> RefusalAccount? {
        guard let account = refusals[host], account.inARow >= 2, rig.now - account.last < Self.memory else {
            return nil
        }
        return account
    }

    mutating func checkRefusal(_ verdict: TransferVerdict, _ ending: TransferEnding, on slot: SlotID?) {
        guard case .stale = ending, let slot, let connection = connections[slot] else { return }
        let isTooMuch = !connection.hasResponded && refusing(connection.host) != nil
        check(!isTooMuch || verdict == .refuse, "a request goes on though two connections in a row completed nothing")
        check(
            isTooMuch || verdict != .refuse || !connection.hasResponded,
            "a request fails though its peer had responded"
        )
    }

    /// A connection is about to be opened to the host.
    mutating func checkPause(of host: Int) {
        guard let account = refusing(host) else { return }
        let pause: UInt64 = min(50_000_000 << min(account.inARow - 2, 5), 1_000_000_000)
        check(
            rig.now >= account.last + pause,
            "a connection is opened to a peer that refuses everything, without a pause"
        )
        let others = connections.contains { connection in
            guard let connection, connection.host == host else { return false }
            return !connection.hasResponded && !connection.hasRefused && connection.openedAt > account.last
        }
        check(!others, "two connections at once are tried with a peer that refuses everything")
    }

    /// Requests had lost their place on the one connection that closed. Those of its origin that wait for another come
    /// before all who never had a place.
    mutating func checkOwed() {
        defer {
            line.owedHosts.removeAll(keepingCapacity: true)
            // One that is idle is free for anybody.
            line.owed = line.owed.filter { connections[$0]?.isIdle == false }
        }
        guard !rig.machine.record.turn.events.closeReasons.contains(.evicted), limits.queueOrder == .fair,
            line.freed.count == 1, let host = line.owedHosts.first, !opened.isEmpty,
            !isRefusing(host), connections.count(where: { $0?.host == host }) < limits.maxConnectionsPerOrigin ?? .max,
            !opened.contains(where: { requests[$0]?.host == host })
        else { return }
        let waits = rig.machine.requests.indices.contains { id in
            rig.machine.waiting.contains(id) && requests[id]?.host == host && requests[id]?.hadPlace == true
        }
        check(!waits, "a request lost its place, and another one got the slot that its connection left")
    }
}
