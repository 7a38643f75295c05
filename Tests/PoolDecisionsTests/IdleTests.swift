import HTTPPool
import Testing

@testable import PoolDecisions

@Suite("Idle connections")
struct IdleTests {
    @Test("The surplus over the idle limit is closed at once, the longest idle first")
    func surplusIsClosed() throws {
        let rig = Rig { $0.maxIdleConnections = 2 }
        let slots = try (0..<4).map { _ in try rig.submitAndConnect() }
        _ = rig.takeEvents()
        for slot in slots { rig.complete(slot) }
        #expect(rig.takeActions().closed == [slots[0], slots[1]])
        #expect(rig.takeEvents().closeReasons == [.idleSurplus, .idleSurplus])
        #expect(rig.levels().connections.idle == 2)
    }

    @Test("The idle limit counts idle connections only")
    func activeOnesDoNotCount() throws {
        let rig = Rig { $0.maxIdleConnections = 1 }
        let slots = try (0..<3).map { _ in try rig.submitAndConnect() }
        rig.complete(slots[0])
        #expect(rig.takeActions().closed.isEmpty)
        #expect(rig.levels().connections.active == 2)
        #expect(rig.levels().connections.idle == 1)
    }

    @Test("An idle connection is closed by a timer when it expires, not before")
    func expires() throws {
        let rig = Rig { $0.keepaliveExpiry = .seconds(5) }
        let slot = try rig.idleConnection()
        _ = rig.takeEvents()
        #expect(rig.machine.nextDeadline() == rig.now + 5_000_000_000)
        rig.advance(.milliseconds(4_999))
        #expect(rig.takeActions().closed.isEmpty)
        rig.advance(.milliseconds(1))
        #expect(rig.takeActions().closed == [slot])
        #expect(rig.takeEvents().closeReasons == [.idleExpired])
    }

    @Test("The expiry counts from the last request, not from the opening")
    func expiryCountsFromTheLastRequest() throws {
        let rig = Rig { $0.keepaliveExpiry = .seconds(5) }
        let slot = try rig.submitAndConnect()
        rig.advance(.seconds(4))
        rig.complete(slot)
        rig.advance(.milliseconds(4_999))
        #expect(rig.levels().connections.idle == 1)
        rig.advance(.milliseconds(1))
        #expect(rig.levels().connections.idle == 0)
    }

    @Test("An expiry of zero keeps none, but hands over to one who waits")
    func zeroExpiryKeepsNone() throws {
        let rig = Rig {
            $0.keepaliveExpiry = .zero
            $0.maxConnections = 1
        }
        let slot = try rig.submitAndConnect()
        let waiting = rig.submit()
        rig.complete(slot)
        #expect(rig.takeActions().list == [.reuse(slot, waiting)])
        rig.complete(slot)
        #expect(rig.takeActions().closed == [slot])
        #expect(rig.levels().connections.total == 0)
    }

    @Test("No expiry keeps it for ever")
    func noExpiry() throws {
        let rig = Rig { $0.keepaliveExpiry = nil }
        _ = try rig.idleConnection()
        rig.advance(.seconds(1_000_000))
        #expect(rig.levels().connections.idle == 1)
        #expect(rig.machine.nextDeadline() == nil)
    }

    @Test("A connection past its lifetime is closed when it comes back, and while it is idle")
    func lifetime() throws {
        let rig = Rig {
            $0.maxConnectionLifetime = .seconds(10)
            $0.keepaliveExpiry = nil
        }
        let busy = try rig.submitAndConnect()
        let idle = try rig.idleConnection("b")
        _ = rig.takeEvents()
        rig.advance(.seconds(10))
        #expect(rig.takeActions().closed == [idle])
        rig.complete(busy)
        #expect(rig.takeActions().closed == [busy])
        #expect(rig.takeEvents().closeReasons == [.maxLifetime, .maxLifetime])
    }

    @Test(
        "An idle connection that speaks is closed and never used again",
        arguments: [CloseReason.peerClosed, .unexpectedData]
    )
    func speaks(reason: CloseReason) throws {
        let rig = Rig()
        let slot = try rig.idleConnection()
        _ = rig.takeEvents()
        rig.idleConnectionEnded(slot, reason)
        #expect(rig.takeActions().closed == [slot])
        #expect(rig.takeEvents().closeReasons == [reason])
        _ = rig.submit()
        #expect(rig.takeActions().reused.isEmpty)
    }
}
