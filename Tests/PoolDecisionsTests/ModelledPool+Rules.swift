import HTTPPool
import TestSupport

@testable import PoolDecisions

/// What must hold after every step.
extension ModelledPool {
    /// The most there may be: the limits, or, after they were lowered, what was there then and has not gone since.
    struct Ceiling {
        var connections: Int
        /// By the number of the origin.
        var ofOrigins: [Int] = []
        var queued: Int

        init(_ limits: PoolLimits) {
            connections = limits.maxConnections
            queued = limits.maxQueuedRequests ?? .max
        }

        mutating func lower(to limits: PoolLimits, from pool: ModelledPool) {
            let rig = pool.rig
            connections = max(limits.maxConnections, rig.machine.connectionCount)
            for index in rig.machine.origins.indices {
                ofOrigins[index] = rig.machine.record.connections(of: index).total
            }
            queued = max(limits.maxQueuedRequests ?? .max, rig.machine.waiting.count)
        }

        mutating func settle(to limits: PoolLimits, connections count: Int, queued waiting: Int) {
            connections = max(limits.maxConnections, min(connections, count))
            queued = max(limits.maxQueuedRequests ?? .max, min(queued, waiting))
        }
    }

    /// Nobody overtakes: who got a place came before all who wait for the like.
    mutating func checkOrder(opened: [RequestID]) {
        for id in requests.indices {
            guard let request = requests[id], rig.machine.requests.contains(id) else { continue }
            let state = rig.machine.requests[id]
            let isWaiting = rig.machine.waiting.contains(id)
            if request.wasQueued != isWaiting {
                requests[id]?.wasQueued = isWaiting
                if !isWaiting { requests[id]?.hadPlace = true }
                if !isWaiting, let first = rig.machine.waiting.first(of: state.origin) {
                    check(rig.machine.requests[first].number > request.number, "overtaken within the origin")
                }
            }
        }
        checkFIFO(opened: opened)
        line.freed.removeAll(keepingCapacity: true)
        line.lost.removeAll(keepingCapacity: true)
        if !refusals.isEmpty || !line.refusing.isEmpty { line.refusing = Set(refusals.keys.filter(isRefusing)) }
    }

    private var perOrigin: Int { limits.maxConnectionsPerOrigin ?? .max }

    private func count(_ kind: PoolEventKind) -> Int { tally[kind.rawValue] }

    /// The rules that are cheap to look at.
    mutating func checkLevels() {
        var total = OriginLevels()
        for index in rig.machine.origins.indices {
            let levels = rig.machine.record.levels(of: index)
            check(levels == reported[index], "a level was not reported")
            let most = max(perOrigin, ceiling.ofOrigins[index])
            check(levels.connections.total <= most, "over maxConnectionsPerOrigin")
            ceiling.ofOrigins[index] = min(most, levels.connections.total)
            total.connections.connecting += levels.connections.connecting
            total.connections.active += levels.connections.active
            total.connections.idle += levels.connections.idle
            total.requests.queued += levels.requests.queued
            total.requests.connecting += levels.requests.connecting
            total.requests.inFlight += levels.requests.inFlight
            checkQueue(of: index)
        }
        let (connections, requests) = (total.connections, total.requests)
        check(rig.machine.connectionCount == connections.total, "the slots are not the connections")
        check(rig.machine.waiting.count == requests.queued, "the queue is not what the levels say")
        check(connections.total <= ceiling.connections, "over maxConnections")
        check(
            connections.total <= limits.maxConnections || connections.idle == 0,
            "idle ones are kept beyond the limit"
        )
        check(connections.idle <= limits.maxIdleConnections, "over maxIdleConnections")
        check(requests.queued <= ceiling.queued, "over maxQueuedRequests")
        ceiling.settle(to: limits, connections: connections.total, queued: requests.queued)

        check(count(.opened) - count(.closed) == connections.active + connections.idle, "opened - closed")
        check(count(.acquired) - count(.leaseEnded) == requests.inFlight, "acquired - ended")
        let acquisitions = submitted + count(.retried)
        check(
            acquisitions == count(.acquired) + count(.acquireFailed) + requests.queued + requests.connecting,
            "acquisitions are not conserved"
        )
        check(count(.retried) == retried, "retries")
        check(submitted == requests.total + finished, "requests are not conserved")
        check(rig.machine.requests.count == requests.total, "the slab of requests is not what the levels say")
        checkSaturation(total)
        if isShutDown { check(connections.idle == 0, "an idle connection outlives the shutdown") }
        if failsQueue { check(requests.queued == 0, "a request waits though the shutdown lets nobody wait") }
    }

    /// A limit keeps requests waiting exactly where the levels say so.
    private mutating func checkSaturation(_ total: OriginLevels) {
        let isFull = total.connections.total >= limits.maxConnections && total.connections.idle == 0
        var expected: PoolSaturation = []
        for index in rig.machine.origins.indices {
            let levels = rig.machine.record.levels(of: index)
            guard levels.requests.queued > 0 else { continue }
            if levels.connections.total >= perOrigin, levels.connections.idle == 0 {
                expected.insert(.connectionsPerOrigin)
            } else if isFull, rig.machine.refusals.mayOpen(index) {
                expected.insert(.connections)
            }
        }
        check(saturation == expected, "saturated by \(saturation), where the levels say \(expected)")
    }

    private mutating func checkQueue(of index: Int) {
        let origin = rig.machine.origins[index]
        let levels = rig.machine.record.levels(of: index)
        check(
            levels.requests.queued == rig.machine.waiting.count(of: index),
            "an origin's queue is not what its levels say"
        )
        guard let first = rig.machine.waiting.first(of: index) else { return }
        let isRefusing = !rig.machine.refusals.mayOpen(index)
        // One that met a dead connection wants a new one.
        let mayReuse = !(isRefusing && rig.machine.requests[first].isRetry)
        let isCapped = isRefusing || levels.connections.total >= perOrigin
        let isFull = rig.machine.connectionCount >= limits.maxConnections
        check(levels.connections.idle == 0 || !mayReuse, "a request waits beside an idle connection of its origin")
        check(isCapped || isFull, "a request waits for no reason")
        check(isCapped || rig.machine.idle.isEmpty, "a request waits though another origin could make room")
        // One that met a dead connection waits for a new one, and nobody overtakes it.
        if let slot = rig.machine.rooms.last(of: index), !rig.machine.requests[first].isRetry {
            let mayShare = rig.machine.slots[slot].isMultiplexed == true || origin.isMultiplexed != false
            check(!mayShare, "a request waits beside a connection that has room")
        }
    }

    /// Everything, counted anew.
    mutating func checkEverything() {
        checkLevels()
        var levels = [OriginLevels](repeating: OriginLevels(), count: reported.count)
        var ofSites: [Int: RequestLevels] = [:]
        var deadline = MonotonicTime(nanoseconds: .max)
        var oldest: MonotonicTime?
        for id in rig.machine.requests.indices {
            let request = rig.machine.requests[id]
            let site = Int(request.site.index)
            check(requests[id] != nil, "a request is held that has ended")
            switch request.state {
            case .queued:
                levels[request.origin].requests.queued += 1
                ofSites[site, default: RequestLevels()].queued += 1
                check(rig.machine.waiting.contains(id), "a request without a place is not in the queue")
                oldest = min(oldest ?? request.submitted, request.submitted)
                let acquire = requests[id]?.acquireDeadline ?? request.acquireDeadline
                deadline = min(deadline, acquire, request.totalDeadline)
            case .connecting(let slot):
                levels[request.origin].requests.connecting += 1
                ofSites[site, default: RequestLevels()].connecting += 1
                check(!rig.machine.waiting.contains(id), "a request with a place is in the queue")
                deadline = min(deadline, (request.placed ?? request.submitted) + request.timeouts.connect)
                deadline = min(deadline, request.totalDeadline)
                checkTries(request, id, on: slot)
            case .inFlight(let slot):
                levels[request.origin].requests.inFlight += 1
                ofSites[site, default: RequestLevels()].inFlight += 1
                check(!rig.machine.waiting.contains(id), "a request with a place is in the queue")
                check(requests[id]?.slot == slot, "a request is in flight elsewhere than its transfer")
                deadline = min(deadline, request.totalDeadline)
                if request.awaiting == .response { deadline = min(deadline, request.progress + request.timeouts.read) }
                if request.awaiting == .peerTakes {
                    deadline = min(deadline, request.progress + request.timeouts.write)
                }
            }
        }
        for id in rig.machine.slots.indices {
            let slot = rig.machine.slots[id]
            switch slot.state {
            case .connecting: levels[slot.origin].connections.connecting += 1
            case .active: levels[slot.origin].connections.active += 1
            case .idle:
                levels[slot.origin].connections.idle += 1
                if let expiry = limits.keepaliveExpiry {
                    deadline = min(deadline, slot.idleSince + expiry.wholeNanoseconds)
                }
                if let age = limits.maxConnectionLifetime {
                    deadline = min(deadline, slot.opened + age.wholeNanoseconds)
                    check(slot.opened + age.wholeNanoseconds > rig.now, "an idle connection is too old")
                }
            }
            checkSlot(id, slot)
        }
        for index in rig.machine.origins.indices {
            check(rig.machine.record.levels(of: index) == levels[index], "levels are not a recount")
        }
        for site in Self.sites {
            let counted = ofSites[Int(site.index)] ?? RequestLevels()
            check(rig.machine.record.levels(of: site) == counted, "a site's levels are not a recount")
        }
        check(
            rig.machine.record.turn.oldestQueued == oldest || !rig.machine.record.turn.events.isEmpty,
            "the oldest in the queue is another"
        )
        let next = rig.machine.nextDeadline() ?? MonotonicTime(nanoseconds: .max)
        check(next <= deadline, "nothing is armed for something that will be due")
    }

    private mutating func checkSlot(_ id: SlotID, _ slot: Slot) {
        var inFlight = 0
        var waiting = 0
        let count = rig.machine.places.count(of: id)
        var next = rig.machine.places.first(of: id)
        while let request = next {
            next = rig.machine.places.next(after: request)
            if case .inFlight = rig.machine.requests[request].state { inFlight += 1 } else { waiting += 1 }
        }
        check(count == inFlight + waiting, "a slot's list of requests is broken")
        check(slot.streams == inFlight, "the streams are not the requests in flight")
        check(slot.streams <= slot.capacity, "more streams than the capacity")
        check(slot.isMultiplexed == true || slot.streams <= 1, "several requests on an HTTP/1.1 connection")
        let connection = connections.indices.contains(id) ? connections[id] : nil
        check(connection?.isReady == (slot.state != .connecting), "a slot is not in its connection's state")
        switch slot.state {
        case .connecting: check(count > 0, "a connection is opened for nobody")
        case .idle: check(count == 0, "a request is on an idle connection")
        case .active:
            check(count > 0, "an active connection has no request")
            let isTrying = connection?.joining.isEmpty == false
            check(slot.streams > 0 || isTrying, "a connection counts as active and none is in flight")
        }
        if rig.machine.rooms.contains(id) {
            check(slot.state != .idle && slot.retiring == nil, "room on a connection that gives none")
        }
    }

    /// Whoever has a place on a ready connection has a stream, tries to get one, or will try.
    private mutating func checkTries(_ request: PoolDecisions.Request, _ id: RequestID, on slot: SlotID) {
        let state = rig.machine.slots[slot]
        check(state.state != .idle, "a request is to share an idle connection")
        guard state.state == .active else { return }
        check(request.isJoining || state.trial != nil, "a request waits on a ready connection for nothing")
        if request.isJoining {
            check(connections[slot]?.joining.contains(id) == true, "a request joins and nobody tries")
        }
    }
}
