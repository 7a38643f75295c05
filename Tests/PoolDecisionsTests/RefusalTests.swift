import HTTPPool
import Testing

@testable import PoolDecisions

@Suite("Peers that refuse everything")
struct RefusalTests {
    /// Lets the connection that is being opened refuse its request.
    @discardableResult
    private func refuse(_ rig: Rig) throws -> TransferVerdict {
        let slot = try #require(rig.takeActions().opened.first)
        rig.connectionReady(slot)
        return rig.end(slot, .stale(sent: true, .peerClosed))
    }

    @Test("The second connection in a row that completes nothing ends the request")
    func secondEnds() throws {
        let rig = Rig(http2: true)
        _ = rig.submit()
        #expect(try refuse(rig) == .retry)
        #expect(try refuse(rig) == .refuse)
        #expect(rig.machine.connectionCount == 0)
        #expect(rig.takeEvents().closeReasons == [.peerClosed, .peerClosed])
    }

    @Test("Then requests wait, and one connection is opened after a pause that doubles up to a second")
    func pauses() throws {
        let rig = Rig(http2: true)
        for _ in 0..<50 { _ = rig.submit() }
        try refuse(rig)
        try refuse(rig)
        for pause in [50, 100, 200, 400, 800, 1_000, 1_000] {
            #expect(rig.machine.connectionCount == 0)
            #expect(rig.levels().requests.queued == rig.machine.requests.count)
            #expect(rig.machine.nextDeadline() == rig.now + UInt64(pause) * 1_000_000)
            _ = rig.submit()
            rig.advance(.milliseconds(pause - 1))
            #expect(rig.takeActions().opened.isEmpty)
            rig.advance(.milliseconds(1))
            #expect(rig.machine.connectionCount == 1)
            #expect(try refuse(rig) == .refuse)
        }
        #expect(rig.takeEvents().limitWaits.isEmpty)
    }

    @Test("The one that is tried is alone until its first response, and that ends all pauses")
    func trialIsAlone() throws {
        let rig = Rig(http2: true)
        _ = rig.submit()
        try refuse(rig)
        try refuse(rig)
        let ids = (0..<150).map { _ in rig.submit() }
        rig.advance(.milliseconds(50))
        let slot = try #require(rig.takeActions().opened.first)
        rig.connectionReady(slot)
        #expect(rig.levels().requests.queued == 50)
        #expect(rig.takeActions().opened.isEmpty)
        rig.responseBegan(slot, isMultiplexed: true)
        #expect(rig.takeActions().opened.count == 1)
        #expect(rig.levels().requests.queued == 0)
        #expect(rig.machine.requests.count == ids.count)
    }

    @Test("A trial that somebody cancels is followed by a pause too")
    func cancelledTrial() throws {
        let rig = Rig(http2: true)
        _ = rig.submit()
        try refuse(rig)
        try refuse(rig)
        let (first, second) = (rig.submit(), rig.submit())
        rig.advance(.milliseconds(50))
        #expect(rig.takeActions().opened.count == 1)
        rig.cancel(first)
        #expect(rig.takeActions().opened.isEmpty)
        #expect(rig.machine.waiting.contains(second))
        #expect(rig.machine.nextDeadline() == rig.now + 100_000_000)
    }

    @Test("While the connection that refuses has completed a response, requests go on elsewhere")
    func provenMovesOn() throws {
        let rig = Rig(http2: true)
        for _ in 0..<4 {
            let (_, ids) = try rig.multiplexed(2)
            rig.endRequest(ids[0])
            #expect(rig.endRequest(ids[1], .stale(sent: true, .peerClosed)) == .retry)
            let slot = try #require(rig.takeActions().opened.first)
            rig.connectionReady(slot)
            rig.complete(slot, keepAlive: false)
            _ = rig.takeActions()
        }
    }

    @Test("Who waits fails at the acquire timeout, and no limit is blamed")
    func acquireTimeout() throws {
        let rig = Rig(http2: true)
        _ = rig.submit()
        try refuse(rig)
        try refuse(rig)
        var timeouts = PoolTimeouts()
        timeouts.acquire = .milliseconds(20)
        _ = rig.submit(timeouts: timeouts)
        rig.advance(.milliseconds(20))
        #expect(rig.takeActions().failures == [.acquireTimeout(behind: nil, otherWaiters: 0)])
    }

    @Test("Other origins are not held up")
    func othersGoOn() throws {
        let rig = Rig(http2: true) { $0.maxConnections = 1 }
        _ = rig.submit()
        try refuse(rig)
        try refuse(rig)
        _ = rig.submit()
        let other = rig.submit("b")
        #expect(rig.takeActions().started == [other])
    }

    @Test("An origin that nobody asks any more is forgotten")
    func forgotten() throws {
        let rig = Rig(http2: true)
        _ = rig.submit()
        try refuse(rig)
        try refuse(rig)
        _ = rig.takeEvents()
        #expect(rig.machine.origins.count == 1)
        rig.advance(.milliseconds(50))
        rig.advance(.seconds(10))
        _ = rig.takeEvents()
        #expect(rig.machine.origins.count == 0)
        #expect(rig.machine.nextDeadline() == nil)
    }
}
