import HTTPPool
import Testing

@testable import PoolDecisions

@Suite("Connections on which nothing comes any more")
struct SilenceTests {
    private func timeouts(read: Duration, total: Duration? = nil) -> PoolTimeouts {
        var timeouts = PoolTimeouts()
        timeouts.read = read
        timeouts.total = total
        return timeouts
    }

    /// A connection with one request on it whose read timeout is short.
    private func rig(read: Duration) throws -> (rig: Rig, slot: SlotID, early: RequestID, others: [RequestID]) {
        let rig = Rig(http2: true)
        let (slot, others) = try rig.multiplexed(2)
        let early = rig.submit(timeouts: timeouts(read: read))
        rig.joined(early)
        _ = rig.takeActions()
        _ = rig.takeEvents()
        return (rig, slot, early, others)
    }

    @Test("After a timeout it takes nobody, counts as active, and closes with its last request")
    func takesNobody() throws {
        let (rig, slot, early, others) = try rig(read: .seconds(1))
        rig.advance(.seconds(1))
        #expect(rig.takeActions().list == [.stop(slot, early), .fail(early, .readTimeout)])
        let next = rig.submit()
        #expect(rig.takeActions().list == [.open(1, next)])
        #expect(rig.levels().connections.active == 1)
        #expect(rig.levels().connections.connecting == 1)
        rig.endRequest(others[0])
        #expect(rig.takeActions().closed.isEmpty)
        rig.endRequest(others[1], .broken(.other, keepAlive: true))
        #expect(rig.takeActions().closed == [slot])
        #expect(rig.takeEvents().closeReasons == [.unresponsive])
    }

    @Test("One on which something came meanwhile goes on")
    func goesOn() throws {
        let (rig, slot, _, _) = try rig(read: .seconds(1))
        rig.advance(.milliseconds(500))
        rig.received(on: slot)
        rig.advance(.milliseconds(500))
        #expect(rig.takeActions().failures == [.readTimeout])
        let next = rig.submit()
        #expect(rig.takeActions().list == [.join(slot, next)])
    }

    @Test("A timeout shorter than a second is no sign, unless the silence goes on")
    func shortTimeout() throws {
        let (rig, slot, _, _) = try rig(read: .milliseconds(50))
        rig.advance(.milliseconds(50))
        #expect(rig.takeActions().failures == [.readTimeout])
        let next = rig.submit()
        #expect(rig.takeActions().list == [.join(slot, next)])
        rig.joined(next)
        #expect(rig.machine.nextDeadline() == rig.now + 950_000_000)
        rig.advance(.milliseconds(950))
        _ = rig.submit()
        #expect(rig.takeActions().opened.count == 1)
    }

    @Test("An idle one on which the last request timed out is closed when the silence goes on")
    func idle() throws {
        let rig = Rig(http2: true)
        let (slot, ids) = try rig.multiplexed(1)
        rig.endRequest(ids[0])
        let late = rig.submit(timeouts: timeouts(read: .milliseconds(50)))
        rig.advance(.milliseconds(50))
        #expect(rig.takeActions().failures == [.readTimeout])
        #expect(!rig.machine.requests.contains(late))
        #expect(rig.machine.slots[slot].state == .idle)
        rig.advance(.milliseconds(950))
        #expect(rig.takeEvents().closeReasons == [.unresponsive])
    }

    @Test("The total timeout counts like the read timeout; waiting for the caller does not")
    func otherTimeouts() throws {
        for awaiting in [Awaiting.response, .caller] {
            let rig = Rig(http2: true)
            let (slot, _) = try rig.multiplexed(1)
            let timed = rig.submit(timeouts: timeouts(read: .seconds(30), total: .seconds(2)))
            rig.joined(timed)
            rig.awaits(timed, awaiting)
            rig.advance(.seconds(2))
            #expect(rig.takeActions().failures == [.totalTimeout])
            #expect(rig.machine.slots[slot].retiring == (awaiting == .response ? .unresponsive : nil))
        }
    }
}
