import HTTPPool
import TestSupport

@testable import PoolDecisions

/// What the driver would do, and what it could not.
extension ModelledPool {
    mutating func apply() {
        opened.removeAll(keepingCapacity: true)
        let actions = rig.takeActions()
        line.started = Set(actions.started)
        for action in actions.list { apply(action) }
        checkOwed()
        isSubmitting = false
        rig.machine.finishTurn(at: rig.now)
        for id in rig.machine.record.turn.newOrigins.map(\.id) {
            while reported.count <= id.index {
                reported.append(OriginLevels())
                ceiling.ofOrigins.append(0)
            }
            check(reported[Int(id.index)] == OriginLevels(), "an origin's number is used again while it has levels")
        }
        for origin in rig.machine.record.turn.origins { reported[Int(origin.id.index)] = origin.levels }
        saturation = rig.machine.record.turn.saturation
        for event in rig.machine.record.turn.events { tally[PoolEventKind(event).rawValue] += 1 }
        rig.machine.beginTurn()
        checkOrder(opened: opened)
    }

    private mutating func apply(_ action: PoolAction) {
        switch action {
        case .open(let slot, let id):
            while connections.count <= slot { connections.append(nil) }
            check(connections[slot] == nil, "open on a slot in use")
            checkMayStart(id)
            checkTurn(of: id)
            checkPause(of: host(of: id))
            line.owed.remove(slot)
            let isHTTP2 = sequence.http2 && (requests[id]?.tag ?? 0) % 2 == 0
            let streams: Int? =
                switch sequence.hosts[host(of: id)] {
                case .http1: nil
                case .http2(let streams): sequence.http2 ? streams : nil
                case .mixed(let streams): isHTTP2 ? streams : nil
                }
            connections[slot] = Connection(
                streams: streams,
                host: host(of: id),
                openedAt: rig.now,
                tag: requests[id]?.tag ?? 0,
                transfers: [id]
            )
            requests[id]?.slot = slot
            requests[id]?.opened = true
            opened.append(id)
        case .reuse(let slot, let id):
            let connection = connections.indices.contains(slot) ? connections[slot] : nil
            check(connection?.isReady == true, "reuse of a slot without a connection")
            check(isNewEnough(connection, for: id), "a retry on a connection that is as old as the dead one")
            check(connection?.transfers.isEmpty == true, "reuse of a connection that is in use")
            let isLatest = !connections.contains {
                guard let other = $0, let connection, other.isReady, other.transfers.isEmpty else { return false }
                return other.host == connection.host && other.joining.isEmpty && other.left > connection.left
            }
            check(isLatest, "a connection is used again and another was used more recently")
            checkMayStart(id)
            checkTurn(of: id)
            // It was idle in between, and free for anybody.
            line.owed.remove(slot)
            connections[slot]?.transfers.append(id)
            requests[id]?.slot = slot
            requests[id]?.opened = false
        case .join(let slot, let id):
            let connection = connections.indices.contains(slot) ? connections[slot] : nil
            check(connection?.isReady == true, "join on a slot without a connection")
            check(connection?.isToClose == false, "join on a connection that is to close")
            check(isNewEnough(connection, for: id), "a retry on a connection that is as old as the dead one")
            checkMayStart(id)
            connections[slot]?.joining.append(id)
            requests[id]?.slot = slot
            requests[id]?.opened = false
        case .stop(_, let id): takeOff(id)
        case .close(let slot):
            guard connections.indices.contains(slot), let connection = connections[slot] else {
                check(false, "close of a slot without a connection")
                return
            }
            noteClosed(slot, connection)
            for id in connection.transfers + connection.joining { requests[id]?.slot = nil }
            connections[slot] = nil
        case .fail(let id, let why):
            check(requests[id] != nil, "a request failed that is not alive")
            check(requests[id]?.slot == nil, "a request failed and its transfer runs")
            if case .acquireTimeout = why, let deadline = requests[id]?.acquireDeadline {
                check(deadline <= rig.now, "timed out too early")
            }
            if case .queueFull = why, isSubmitting {
                let isFull = rig.machine.waiting.count >= limits.maxQueuedRequests ?? .max
                check(isFull, "refused though the queue is not full")
            }
            requests[id] = nil
            finished += 1
        }
    }

    private func isNewEnough(_ connection: Connection?, for id: RequestID) -> Bool {
        guard let connection, let request = requests[id] else { return true }
        return connection.openedAt >= request.retriedAt
    }

    private mutating func checkMayStart(_ id: RequestID) {
        check(requests[id] != nil, "a transfer begins for a request that is not alive")
        check(requests[id]?.slot == nil, "a transfer begins for a request that has one")
    }

    private func host(of id: RequestID) -> Int { requests[id]?.host ?? 0 }
}
