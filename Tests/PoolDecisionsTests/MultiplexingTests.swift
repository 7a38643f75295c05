import HTTPPool
import Testing

@testable import PoolDecisions

@Suite("Several requests on one connection")
struct MultiplexingTests {
    // MARK: Finding out

    @Test("Requests share a connection that is being opened, and join it when the response shows HTTP/2")
    func sharesInExpectation() {
        let rig = Rig(http2: true)
        let ids = (0..<3).map { _ in rig.submit() }
        #expect(rig.takeActions().list == [.open(0, ids[0])])
        rig.connectionReady(0)
        #expect(rig.takeActions().list.isEmpty)
        #expect(rig.levels().requests.connecting == 2)
        rig.responseBegan(0, isMultiplexed: true)
        #expect(rig.takeActions().list == [.join(0, ids[1]), .join(0, ids[2])])
        rig.joined(ids[1])
        rig.joined(ids[2])
        #expect(rig.takeEvents().acquireKinds == [.new, .multiplexed, .multiplexed])
        #expect(rig.levels().connections.active == 1)
        #expect(rig.levels().requests.inFlight == 3)
    }

    @Test("Where the response shows HTTP/1.1, the others open connections of their own")
    func partsOverHTTP1() {
        let rig = Rig(http2: true)
        let ids = (0..<3).map { _ in rig.submit() }
        rig.connectionReady(0)
        _ = rig.takeActions()
        rig.responseBegan(0, isMultiplexed: false)
        #expect(rig.takeActions().started == [ids[1], ids[2]])
        // From now on the origin is known.
        _ = rig.submit()
        #expect(rig.takeActions().opened.count == 1)
    }

    @Test("Without a response, those who share it try after a while, late comers too", arguments: [true, false])
    func triesWithoutAnswer(late: Bool) {
        let rig = Rig(http2: true)
        _ = rig.submit()
        if !late { _ = rig.submit() }
        rig.connectionReady(0)
        let id = late ? rig.submit() : 1
        _ = rig.takeActions()
        rig.advance(.milliseconds(99))
        #expect(rig.takeActions().list.isEmpty)
        rig.advance(.milliseconds(1))
        #expect(rig.takeActions().list == [.join(0, id)])
        // Whoever comes now has nothing to wait for.
        let next = rig.submit()
        #expect(rig.takeActions().list == [.join(0, next)])
    }

    @Test("Who comes between the connection and its response joins with the response")
    func joinsWithTheAnswer() throws {
        let rig = Rig(http2: true)
        let slot = try rig.submitAndConnect()
        let id = rig.submit()
        #expect(rig.takeActions().list.isEmpty)
        rig.responseBegan(slot, isMultiplexed: true)
        #expect(rig.takeActions().list == [.join(slot, id)])
    }

    @Test("A refusal before any response means HTTP/1.1, until a response shows otherwise")
    func responseIsSurer() throws {
        let rig = Rig(http2: true)
        let slot = try rig.submitAndConnect()
        let id = rig.submit()
        rig.advance(.milliseconds(100))
        _ = rig.takeActions()
        rig.joinRefused(id)
        #expect(rig.takeActions().started == [id])
        rig.responseBegan(slot, isMultiplexed: true)
        let next = rig.submit()
        #expect(rig.takeActions().list == [.join(slot, next)])
    }

    @Test("As many as another connection had room for join the next one as soon as it is ready")
    func proven() throws {
        let rig = Rig(http2: true)
        let (slot, ids) = try rig.multiplexed(3)
        for id in ids { rig.endRequest(id, .complete(keepAlive: false)) }
        _ = rig.takeActions()
        let next = (0..<5).map { _ in rig.submit() }
        #expect(rig.takeActions().opened == [slot])
        rig.connectionReady(slot)
        #expect(rig.takeActions().joined == Array(next[1...2]))
        rig.responseBegan(slot, isMultiplexed: true)
        #expect(rig.takeActions().joined == Array(next[3...4]))
    }

    // MARK: Room

    @Test("One that is refused goes elsewhere, and the connection is full until one has left it")
    func refused() throws {
        let rig = Rig(http2: true)
        let (slot, ids) = try rig.multiplexed(2)
        let refused = rig.submit()
        #expect(rig.takeActions().list == [.join(slot, refused)])
        rig.joinRefused(refused)
        #expect(rig.takeActions().list == [.open(1, refused)])
        rig.connectionReady(1)
        rig.endRequest(ids[0])
        let next = rig.submit()
        #expect(rig.takeActions().list == [.join(slot, next)])
        #expect(rig.machine.slots[slot].capacity == 2)
    }

    @Test("Room goes to one who waits, though an earlier one of another origin waits for a connection")
    func roomIsNobodyElses() throws {
        let rig = Rig(http2: true) { $0.maxConnections = 1 }
        let (slot, ids) = try rig.multiplexed(2)
        let refused = rig.submit()
        rig.joinRefused(refused)
        let other = rig.submit("b")
        let later = rig.submit()
        _ = rig.takeActions()
        rig.endRequest(ids[0])
        #expect(rig.takeActions().list == [.join(slot, refused)])
        rig.joined(refused)
        rig.endRequest(ids[1])
        #expect(rig.takeActions().list == [.join(slot, later)])
        #expect(rig.machine.waiting.contains(other))
    }

    @Test("One who leaves a connection that is being opened makes room for one who waits")
    func roomInExpectation() {
        let rig = Rig(http2: true) { $0.maxConnectionsPerOrigin = 1 }
        let ids = (0..<101).map { _ in rig.submit() }
        #expect(rig.levels().requests.queued == 1)
        rig.cancel(ids[50])
        #expect(rig.levels().requests.queued == 0)
        #expect(rig.levels().requests.connecting == 100)
    }

    @Test("An idle connection is taken before one that is only being opened")
    func idleBeforeExpectation() throws {
        let rig = Rig(http2: true)
        let (slot, ids) = try rig.multiplexed(1)
        let refused = rig.submit()
        rig.joinRefused(refused)
        rig.endRequest(ids[0])
        _ = rig.takeActions()
        let next = rig.submit()
        #expect(rig.takeActions().list == [.reuse(slot, next)])
    }

    @Test("A connection that was idle is active again with its next request, and has room for others")
    func idleAndBack() throws {
        let rig = Rig(http2: true)
        let (slot, ids) = try rig.multiplexed(2)
        for id in ids { rig.endRequest(id) }
        #expect(rig.levels().connections.idle == 1)
        _ = rig.takeActions()
        let (first, second) = (rig.submit(), rig.submit())
        #expect(rig.takeActions().list == [.reuse(slot, first), .join(slot, second)])
        #expect(rig.levels().connections.active == 1)
        #expect(rig.levels().connections.idle == 0)
    }

    @Test("A request that met a dead connection waits for a new one rather than share an old one; nobody overtakes it")
    func retryIsNotOvertaken() throws {
        let rig = Rig(http2: true) { $0.maxConnections = 2 }
        let (old, ids) = try rig.multiplexed(2)
        let refused = rig.submit()
        rig.joinRefused(refused)
        rig.connectionReady(1)
        rig.responseBegan(1, isMultiplexed: true)
        let retried = rig.submit()
        rig.joined(retried)
        rig.advance(.milliseconds(1))
        #expect(rig.endRequest(retried, .stale(sent: false, .peerClosed)) == .retry)
        _ = rig.takeActions()
        rig.endRequest(ids[0])
        let behind = rig.submit()
        #expect(rig.takeActions().list.isEmpty)
        rig.endRequest(ids[1])
        #expect(rig.takeActions().list == [.close(old), .open(old, retried)])
        #expect(!rig.machine.waiting.contains(behind))
    }

    // MARK: Endings

    @Test("A cancelled stream leaves the connection to the others")
    func cancelledStream() throws {
        let rig = Rig(http2: true)
        let (slot, ids) = try rig.multiplexed(2)
        rig.cancel(ids[0])
        #expect(rig.takeActions().list == [.stop(slot, ids[0]), .fail(ids[0], .cancelled)])
        #expect(rig.levels().connections.active == 1)
        rig.endRequest(ids[1])
        #expect(rig.levels().connections.idle == 1)
    }

    @Test("When the last one is cancelled while it joins, the connection is idle")
    func cancelledWhileJoining() throws {
        let rig = Rig(http2: true)
        let (slot, ids) = try rig.multiplexed(1)
        let joining = rig.submit()
        rig.endRequest(ids[0])
        rig.cancel(joining)
        #expect(rig.takeActions().list.last == .fail(joining, .cancelled))
        #expect(rig.levels().connections.idle == 1)
        #expect(rig.machine.slots[slot].state == .idle)
    }

    @Test("A stream that breaks alone leaves the connection open; one that breaks with it closes it")
    func breaks() throws {
        let rig = Rig(http2: true)
        let (slot, ids) = try rig.multiplexed(2)
        #expect(rig.endRequest(ids[0], .broken(.other, keepAlive: true)) == .deliver)
        #expect(rig.takeActions().closed.isEmpty)
        #expect(rig.endRequest(ids[1], .broken(.other)) == .deliver)
        #expect(rig.takeActions().closed == [slot])
        #expect(rig.takeEvents().closeReasons == [.error])
    }

    @Test("A connection that is to close takes nobody, and closes with its last request")
    func retires() throws {
        let rig = Rig(http2: true)
        let (slot, ids) = try rig.multiplexed(2)
        rig.endRequest(ids[0], .complete(keepAlive: false))
        #expect(rig.takeActions().closed.isEmpty)
        let next = rig.submit()
        #expect(rig.takeActions().list == [.open(1, next)])
        rig.endRequest(ids[1])
        #expect(rig.takeActions().closed == [slot])
        #expect(rig.takeEvents().closeReasons == [.responseClose])
    }

    @Test("A connection that is too old takes nobody, and closes with its last request")
    func tooOld() throws {
        let rig = Rig(http2: true) { $0.maxConnectionLifetime = .seconds(1) }
        let (slot, ids) = try rig.multiplexed(1)
        rig.advance(.seconds(1))
        let next = rig.submit()
        #expect(rig.takeActions().list == [.open(1, next)])
        rig.endRequest(ids[0])
        #expect(rig.takeActions().closed == [slot])
        #expect(rig.takeEvents().closeReasons == [.maxLifetime])
    }

    @Test("When the connection that they share fails, the next one opens another and the rest share that")
    func openerFails() {
        let rig = Rig(http2: true)
        let ids = (0..<3).map { _ in rig.submit() }
        _ = rig.takeActions()
        #expect(rig.endRequest(ids[0], .broken(.refused)) == .deliver)
        #expect(rig.takeActions().list == [.close(0), .open(0, ids[1])])
        #expect(rig.levels().requests.connecting == 2)
    }

    @Test("Those who share a connection that takes too long time out with it")
    func connectTimeoutOfAll() {
        let rig = Rig(http2: true)
        for _ in 0..<3 { _ = rig.submit() }
        _ = rig.takeActions()
        rig.advance(.seconds(10))
        let actions = rig.takeActions()
        #expect(actions.failures == [.connectTimeout, .connectTimeout, .connectTimeout])
        #expect(actions.opened.isEmpty)
        #expect(rig.machine.connectionCount == 0)
    }

    @Test("The connect timeout counts on when the connection fails and another is opened")
    func connectTimeoutCountsOn() {
        let rig = Rig(http2: true)
        let ids = (0..<2).map { _ in rig.submit() }
        rig.advance(.seconds(9))
        _ = rig.endRequest(ids[0], .broken(.refused))
        _ = rig.takeActions()
        rig.advance(.seconds(1))
        #expect(rig.takeActions().failures == [.connectTimeout])
    }

    @Test("What is waited for may change to something that is due earlier")
    func awaitsSomethingEarlier() {
        let rig = Rig()
        var timeouts = PoolTimeouts()
        timeouts.read = .seconds(1)
        let id = rig.submit(timeouts: timeouts, hasBody: true)
        rig.connectionReady(0)
        rig.progress(id, .response)
        #expect(rig.machine.nextDeadline() == rig.now + 1_000_000_000)
        rig.awaits(id, .caller)
        rig.advance(.seconds(100))
        #expect(rig.takeActions().failures.isEmpty)
    }

    // MARK: Shutdown

    @Test("During a shutdown, one that loses its place and would have to wait fails or waits, by policy")
    func losesItsPlaceInShutdown() throws {
        for policy in [ShutdownPolicy.Queued.fail, .finish] {
            let rig = Rig(http2: true) { $0.maxConnections = 1 }
            _ = try rig.submitAndConnect()
            let shares = rig.submit()
            rig.beginShutdown(ShutdownPolicy(queued: policy, grace: .seconds(1)))
            _ = rig.takeActions()
            rig.responseBegan(0, isMultiplexed: false)
            #expect(rig.takeActions().list == (policy == .fail ? [.fail(shares, .shutdown)] : []))
        }
    }

    @Test("At the end of the grace nothing new is opened")
    func endOfGrace() {
        let rig = Rig(http2: true)
        for _ in 0..<5 { _ = rig.submit() }
        _ = rig.takeActions()
        rig.beginShutdown(ShutdownPolicy(queued: .finish, grace: .seconds(1)))
        rig.advance(.seconds(1))
        let actions = rig.takeActions()
        #expect(actions.opened.isEmpty)
        #expect(actions.failures.count == 5)
        #expect(rig.isDrained)
    }
}
