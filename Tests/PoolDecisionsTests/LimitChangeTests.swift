import HTTPPool
import Testing

@testable import PoolDecisions

@Suite("Limits that change")
struct LimitChangeTests {
    @Test("A higher limit serves the queue at once")
    func higherServes() throws {
        let rig = Rig { $0.maxConnections = 1 }
        _ = try rig.submitAndConnect()
        let waiting = (0..<3).map { _ in rig.submit() }
        _ = rig.takeActions()
        rig.reconfigure { $0.maxConnections = 3 }
        #expect(rig.takeActions().started == Array(waiting.prefix(2)))
    }

    @Test("A higher limit of an origin serves its queue at once")
    func higherPerOriginServes() throws {
        let rig = Rig { $0.maxConnectionsPerOrigin = 1 }
        _ = try rig.submitAndConnect()
        let waiting = rig.submit()
        _ = rig.takeActions()
        rig.reconfigure { $0.maxConnectionsPerOrigin = nil }
        #expect(rig.takeActions().started == [waiting])
    }

    @Test("A lower limit closes idle connections at once, and others when their requests are done")
    func lowerCloses() throws {
        let rig = Rig()
        let slots = try (0..<4).map { _ in try rig.submitAndConnect() }
        rig.complete(slots[0])
        _ = rig.takeActions()
        rig.reconfigure { $0.maxConnections = 2 }
        #expect(rig.takeActions().closed == [slots[0]])
        #expect(rig.machine.connectionCount == 3)
        for slot in slots[1...] { rig.complete(slot) }
        #expect(rig.takeActions().closed == [slots[1]])
        #expect(rig.levels().connections.idle == 2)
        #expect(Set(rig.takeEvents().closeReasons) == [.idleSurplus])
    }

    @Test("A lower limit of an origin closes its connections and no others")
    func lowerPerOrigin() throws {
        let rig = Rig()
        let slots = try (0..<3).map { _ in try rig.submitAndConnect() }
        let other = try rig.idleConnection("b")
        rig.complete(slots[0])
        _ = rig.takeActions()
        rig.reconfigure { $0.maxConnectionsPerOrigin = 1 }
        #expect(rig.takeActions().closed == [slots[0]])
        rig.complete(slots[1])
        #expect(rig.takeActions().closed == [slots[1]])
        rig.complete(slots[2])
        #expect(rig.takeActions().closed.isEmpty)
        #expect(rig.machine.slots[other].state == .idle)
    }

    @Test("Beyond a lower limit, a connection that carries several takes nobody; under a higher one it does again")
    func lowerWhileMultiplexed() throws {
        let rig = Rig(http2: true)
        let (a, ofA) = try rig.multiplexed(2, "a")
        let (b, ofB) = try rig.multiplexed(2, "b")
        rig.reconfigure { $0.maxConnections = 1 }
        let retired = try #require([a, b].first { rig.machine.slots[$0].retiring != nil })
        let (host, requests) = retired == a ? ("a", ofA) : ("b", ofB)
        let waiting = rig.submit(host)
        #expect(rig.takeActions().list.isEmpty)
        rig.reconfigure { $0.maxConnections = 2 }
        #expect(rig.takeActions().list == [.join(retired, waiting)])
        rig.joined(waiting)
        rig.reconfigure { $0.maxConnections = 1 }
        for id in requests + [waiting] where rig.machine.slots[retired].retiring != nil { rig.endRequest(id) }
        #expect(rig.takeActions().closed == [retired])
        #expect(rig.machine.connectionCount == 1)
    }

    @Test("One that is to close anyway is not taken back under a higher limit")
    func toCloseAnyway() throws {
        let rig = Rig(http2: true)
        let (slot, ids) = try rig.multiplexed(2)
        _ = try rig.multiplexed(1, "b")
        rig.reconfigure { $0.maxConnections = 1 }
        rig.endRequest(ids[0], .complete(keepAlive: false))
        rig.reconfigure { $0.maxConnections = 3 }
        _ = rig.submit()
        #expect(rig.takeActions().opened.count == 1)
        #expect(rig.machine.places.count(of: slot) == 1)
    }

    @Test("A lower limit of idle connections closes the longest idle first")
    func lowerIdle() throws {
        let rig = Rig()
        let slots = try (0..<3).map { _ in try rig.submitAndConnect() }
        for slot in slots { rig.complete(slot) }
        _ = rig.takeActions()
        rig.reconfigure { $0.maxIdleConnections = 1 }
        #expect(rig.takeActions().closed == [slots[0], slots[1]])
    }

    @Test("A lower limit of the queue refuses the next one and keeps those who wait")
    func lowerQueue() throws {
        let rig = Rig { $0.maxConnections = 1 }
        _ = try rig.submitAndConnect()
        for _ in 0..<3 { _ = rig.submit() }
        _ = rig.takeActions()
        rig.reconfigure { $0.maxQueuedRequests = 1 }
        #expect(rig.takeActions().list.isEmpty)
        _ = rig.submit()
        #expect(rig.takeActions().failures == [.queueFull])
        #expect(rig.machine.waiting.count == 3)
    }

    @Test("A shorter expiry and a shorter lifetime count for connections that are idle already")
    func shorterTimes() throws {
        let rig = Rig { $0.keepaliveExpiry = nil }
        _ = try rig.idleConnection()
        _ = rig.takeEvents()
        rig.reconfigure { $0.maxConnectionLifetime = .seconds(5) }
        #expect(rig.machine.nextDeadline() == rig.now + 5_000_000_000)
        rig.reconfigure { $0.keepaliveExpiry = .seconds(2) }
        #expect(rig.machine.nextDeadline() == rig.now + 2_000_000_000)
        rig.advance(.seconds(2))
        #expect(rig.takeEvents().closeReasons == [.idleExpired])
        _ = try rig.idleConnection()
        rig.reconfigure { $0.keepaliveExpiry = .zero }
        #expect(rig.machine.connectionCount == 0)
    }

    @Test("The observer learns of the limits in force with the turn")
    func isTold() {
        let rig = Rig()
        rig.reconfigure { $0.maxConnections = 7 }
        #expect(rig.machine.record.turn.configuration?.limits.maxConnections == 7)
    }
}
