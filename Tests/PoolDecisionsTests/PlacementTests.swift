import HTTPPool
import Testing

@testable import PoolDecisions

@Suite("Who gets which connection")
struct PlacementTests {
    @Test("The first request opens a connection and is acquired when it is ready")
    func opensAConnection() throws {
        let rig = Rig()
        let id = rig.submit()
        #expect(rig.takeActions().list == [.open(0, id)])
        #expect(rig.levels().connections.connecting == 1)
        #expect(rig.levels().requests.connecting == 1)
        rig.now = rig.now + 5
        rig.connectionReady(0)
        #expect(rig.levels().connections.active == 1)
        #expect(rig.levels().requests.inFlight == 1)
        let events = rig.takeEvents()
        #expect(
            events.map(\.kind) == [
                .connecting(waited: 0), .connectionOpened(took: 5), .acquired(.new, waited: 5, queued: 0),
            ]
        )
        #expect(events.allSatisfy { $0.origin == OriginID(index: 0) })
    }

    @Test("A request takes the most recently used idle connection of its own origin")
    func takesTheMostRecentlyUsed() throws {
        let rig = Rig()
        let first = try rig.submitAndConnect()
        let second = try rig.submitAndConnect()
        let elsewhere = try rig.idleConnection("b")
        rig.complete(second)
        rig.complete(first)
        _ = rig.takeActions()
        _ = rig.submit()
        _ = rig.submit()
        #expect(rig.takeActions().reused == [first, second])
        _ = rig.submit()
        #expect(rig.takeActions().reused != [elsewhere])
    }

    @Test("At the limit the longest idle connection of another origin makes room")
    func evictsTheLongestIdle() throws {
        let rig = Rig { $0.maxConnections = 2 }
        let oldest = try rig.idleConnection("a")
        rig.advance(.seconds(1))
        _ = try rig.idleConnection("b")
        _ = rig.takeEvents()
        _ = rig.takeActions()
        _ = rig.submit("c")
        let actions = rig.takeActions()
        #expect(actions.closed == [oldest])
        #expect(actions.opened.count == 1)
        #expect(rig.takeEvents().closeReasons == [.evicted])
        #expect(rig.machine.connectionCount == 2)
    }

    @Test("Beyond the limit requests queue, and are served first come, first served")
    func queuesInOrder() throws {
        let rig = Rig { $0.maxConnections = 1 }
        let slot = try rig.submitAndConnect()
        let waiting = (0..<5).map { _ in rig.submit() }
        #expect(rig.levels().requests.queued == 5)
        #expect(rig.takeEvents().limitWaits == Array(repeating: .connections, count: 5))
        for id in waiting {
            rig.complete(slot)
            #expect(rig.takeActions().list == [.reuse(slot, id)])
        }
    }

    @Test("An earlier request of another origin is served before a later one of the idle connection's")
    func nobodyOvertakes() throws {
        let rig = Rig { $0.maxConnections = 1 }
        let slot = try rig.submitAndConnect("a")
        let earlier = rig.submit("b")
        let later = rig.submit("a")
        rig.complete(slot)
        #expect(rig.takeActions().list == [.close(slot), .open(slot, earlier)])
        rig.connectionReady(slot)
        rig.complete(slot)
        #expect(rig.takeActions().started == [later])
    }

    @Test("An origin at its own limit holds nobody else up")
    func cappedOriginHoldsNobodyUp() throws {
        let rig = Rig {
            $0.maxConnections = 3
            $0.maxConnectionsPerOrigin = 1
        }
        let slot = try rig.submitAndConnect("a")
        let waiting = rig.submit("a")
        let other = rig.submit("b")
        #expect(rig.takeEvents().limitWaits == [.connectionsPerOrigin])
        #expect(rig.takeActions().started == [other])
        rig.complete(slot)
        #expect(rig.takeActions().list == [.reuse(slot, waiting)])
    }

    @Test("When both limits bite, the capped origin's turn comes by its number")
    func cappedOriginKeepsItsPlace() throws {
        let rig = Rig {
            $0.maxConnections = 2
            $0.maxConnectionsPerOrigin = 1
        }
        let a = try rig.submitAndConnect("a")
        let b = try rig.submitAndConnect("b")
        let secondA = rig.submit("a")
        let firstC = rig.submit("c")
        _ = rig.takeActions()
        // a's own connection comes free: its waiter came before c's.
        rig.complete(a)
        #expect(rig.takeActions().list == [.reuse(a, secondA)])
        rig.complete(b)
        #expect(rig.takeActions().list == [.close(b), .open(b, firstC)])
    }

    @Test("A connection that closes makes room for the one who waits")
    func closedConnectionMakesRoom() throws {
        let rig = Rig { $0.maxConnections = 1 }
        let slot = try rig.submitAndConnect()
        let waiting = rig.submit()
        rig.complete(slot, keepAlive: false)
        #expect(rig.takeActions().list == [.close(slot), .open(slot, waiting)])
        #expect(rig.takeEvents().closeReasons == [.responseClose])
    }

    @Test("The queue's limit refuses the next one at once")
    func fullQueueRefuses() throws {
        let rig = Rig {
            $0.maxConnections = 1
            $0.maxQueuedRequests = 2
        }
        _ = try rig.submitAndConnect()
        for _ in 0..<3 { _ = rig.submit() }
        #expect(rig.takeActions().failures == [.queueFull])
        #expect(rig.takeEvents().acquireFailures == [.rejected])
        #expect(rig.levels().requests.queued == 2)
    }

    @Test("A failed connection lets the next one try")
    func failedConnectionLetsTheNextTry() throws {
        let rig = Rig { $0.maxConnections = 1 }
        _ = rig.submit()
        let waiting = rig.submit()
        _ = rig.takeActions()
        #expect(rig.end(0, .broken(.refused)) == .deliver)
        #expect(rig.takeActions().list == [.close(0), .open(0, waiting)])
        let events = rig.takeEvents()
        #expect(events.connectFailures == [.refused])
        #expect(events.acquireFailures == [.connectFailed])
    }
}
