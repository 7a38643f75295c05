import HTTPPool
import Testing

@testable import PoolDecisions

/// A connection that could not be opened because the process has no descriptor left.
@Suite("Without a descriptor")
struct DescriptorTests {
    @Test("The longest idle connection of others is given up, and the request tries again")
    func evicts() throws {
        let rig = Rig()
        let (first, second) = (try rig.idleConnection("a"), try rig.submitAndConnect("b"))
        rig.complete(second)
        _ = rig.takeActions()
        _ = rig.takeEvents()
        let id = rig.submit("c")
        let slot = try #require(rig.takeActions().opened.first)
        #expect(rig.end(slot, .broken(.noDescriptor)) == .retry)
        let actions = rig.takeActions()
        #expect(actions.closed == [first, slot])
        #expect(actions.started == [id])
        let events = rig.takeEvents()
        #expect(events.connectFailures == [.noDescriptor])
        #expect(events.closeReasons == [.evicted])
        #expect(events.acquireFailures.isEmpty)
        let again = try #require(actions.opened.first)
        rig.connectionReady(again)
        #expect(rig.takeEvents().acquireKinds == [.new])
        #expect(rig.levels("c").connections.active == 1)
    }

    @Test("An idle connection of its own origin is used and not closed")
    func reuses() throws {
        let rig = Rig()
        let busy = try rig.submitAndConnect("a")
        let id = rig.submit("a")
        let slot = try #require(rig.takeActions().opened.first)
        rig.complete(busy)
        _ = rig.takeActions()
        #expect(rig.end(slot, .broken(.noDescriptor)) == .retry)
        let actions = rig.takeActions()
        #expect(actions.closed == [slot])
        #expect(actions.reused == [busy])
        #expect(actions.started == [id])
        #expect(rig.takeEvents().closeReasons.isEmpty)
    }

    @Test("With nothing idle the request fails, and each attempt before that cost an idle connection")
    func fails() throws {
        let rig = Rig()
        _ = try rig.idleConnection("a")
        _ = rig.submit("c")
        _ = rig.takeEvents()
        let first = try #require(rig.takeActions().opened.last)
        #expect(rig.end(first, .broken(.noDescriptor)) == .retry)
        let second = try #require(rig.takeActions().opened.first)
        #expect(rig.end(second, .broken(.noDescriptor)) == .deliver)
        let events = rig.takeEvents()
        #expect(events.connectFailures == [.noDescriptor, .noDescriptor])
        #expect(events.acquireFailures == [.connectFailed])
        #expect(rig.machine.connectionCount == 0)
    }
}
