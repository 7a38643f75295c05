import HTTPPool
import Testing

@testable import PoolDecisions

@Suite("How requests end")
struct EndingTests {
    // MARK: Timeouts

    @Test("The acquire timeout counts from submission and names the limit")
    func acquireTimeout() throws {
        let rig = Rig { $0.maxConnections = 1 }
        _ = try rig.submitAndConnect()
        var timeouts = PoolTimeouts()
        timeouts.acquire = .seconds(2)
        _ = rig.submit(timeouts: timeouts)
        _ = rig.submit(timeouts: timeouts)
        #expect(rig.machine.nextDeadline() == rig.now + 2_000_000_000)
        rig.advance(.milliseconds(1_999))
        #expect(rig.takeActions().failures.isEmpty)
        rig.advance(.milliseconds(1))
        #expect(
            rig.takeActions().failures == [
                .acquireTimeout(behind: .connections, otherWaiters: 1),
                .acquireTimeout(behind: .connections, otherWaiters: 0),
            ]
        )
        #expect(rig.takeEvents().acquireFailures == [.timeout, .timeout])
        #expect(rig.levels().requests.queued == 0)
    }

    @Test("An acquire timeout of zero means now or never")
    func nowOrNever() throws {
        let rig = Rig { $0.maxConnections = 1 }
        var timeouts = PoolTimeouts()
        timeouts.acquire = .zero
        _ = rig.submit(timeouts: timeouts)
        #expect(rig.takeActions().opened.count == 1)
        _ = rig.submit(timeouts: timeouts)
        #expect(rig.takeActions().failures == [.acquireTimeout(behind: .connections, otherWaiters: 0)])
    }

    @Test("A connection that takes too long fails its request")
    func connectTimeout() throws {
        let rig = Rig()
        _ = rig.submit()
        rig.advance(.seconds(10))
        let actions = rig.takeActions()
        #expect(actions.closed == [0])
        #expect(actions.failures == [.connectTimeout])
        let events = rig.takeEvents()
        #expect(events.connectFailures == [.timeout])
        #expect(events.acquireFailures == [.connectFailed])
        #expect(rig.machine.connectionCount == 0)
    }

    @Test("The read timeout counts from the last byte")
    func readTimeout() throws {
        let rig = Rig()
        let slot = try rig.submitAndConnect()
        for _ in 0..<5 {
            rig.advance(.seconds(29))
            rig.progress(slot, .response)
            #expect(rig.takeActions().failures.isEmpty)
        }
        _ = rig.takeEvents()
        rig.advance(.seconds(30))
        let actions = rig.takeActions()
        #expect(actions.failures == [.readTimeout])
        #expect(actions.closed == [slot])
        #expect(rig.takeEvents().closeReasons == [.requestTimeout])
    }

    @Test("While the body is being sent, the write timeout counts")
    func writeTimeout() throws {
        let rig = Rig()
        var timeouts = PoolTimeouts()
        timeouts.write = .seconds(1)
        _ = rig.submit(timeouts: timeouts)
        rig.connectionReady(0)
        rig.progress(0, .peerTakes)
        rig.machine.arm(0)
        _ = rig.takeActions()
        rig.advance(.seconds(1))
        #expect(rig.takeActions().failures == [.writeTimeout])
    }

    @Test("The total timeout ends a request in every phase", arguments: ["queued", "connecting", "in flight"])
    func totalTimeout(phase: String) throws {
        let rig = Rig { $0.maxConnections = 1 }
        var timeouts = PoolTimeouts()
        timeouts.total = .seconds(1)
        if phase == "queued" {
            _ = try rig.submitAndConnect()
        }
        _ = rig.submit(timeouts: timeouts)
        if phase == "in flight" { rig.connectionReady(0) }
        _ = rig.takeActions()
        rig.advance(.seconds(1))
        #expect(rig.takeActions().failures == [.totalTimeout])
        let events = rig.takeEvents()
        switch phase {
        case "in flight": #expect(events.closeReasons == [.requestTimeout])
        default: #expect(events.acquireFailures == [.timeout])
        }
    }

    // MARK: Cancellation

    @Test("A request can be cancelled in the queue, in connect and in flight, and leaves nothing behind")
    func cancellation() throws {
        let rig = Rig { $0.maxConnections = 1 }
        let connecting = rig.submit()
        let queued = rig.submit()
        let next = rig.submit()
        _ = rig.takeActions()
        rig.cancel(queued)
        #expect(rig.takeActions().list == [.fail(queued, .cancelled)])
        rig.cancel(connecting)
        #expect(rig.takeActions().list == [.close(0), .fail(connecting, .cancelled), .open(0, next)])
        rig.connectionReady(0)
        rig.cancel(next)
        #expect(rig.takeActions().list == [.close(0), .fail(next, .cancelled)])
        let events = rig.takeEvents()
        #expect(events.acquireFailures == [.cancelled, .cancelled])
        #expect(events.connectFailures == [.cancelled])
        #expect(events.closeReasons == [.requestCancelled])
        #expect(rig.machine.connectionCount == 0)
        #expect(rig.machine.requests.count == 0)
    }

    // MARK: What is reported

    @Test("A closed connection tells how long it lived and how many requests it served; a lease how long it was held")
    func reported() throws {
        let rig = Rig()
        let slot = try rig.submitAndConnect()
        rig.advance(.milliseconds(3))
        rig.complete(slot)
        _ = rig.submit(site: CallSite("reported"))
        rig.advance(.milliseconds(4))
        rig.complete(slot, keepAlive: false)
        let events = rig.takeEvents()
        let kinds = events.map(\.kind)
        let leases = events.filter { $0.kind.name == "leaseEnded" }
        #expect(
            leases.map(\.kind) == [.leaseEnded(.success, held: 3_000_000), .leaseEnded(.success, held: 4_000_000)]
        )
        #expect(leases.map(\.site) == [.unattributed, CallSite("reported")])
        #expect(kinds.contains(.connectionClosed(.responseClose, lifetime: 7_000_000, requests: 2)))
    }

    @Test("Events carry the numbers of their request and of their connection, which is another one after a retry")
    func numbers() throws {
        let rig = Rig()
        let slot = try rig.submitAndConnect()
        rig.complete(slot)
        let id = rig.submit()
        #expect(rig.end(slot, .stale(sent: true, .peerClosed)) == .retry)
        rig.connectionReady(try #require(rig.machine.requests[id].slot))
        let events = rig.takeEvents()
        let second = RequestNumber(rig.machine.requests[id].number)
        let (old, new) = (ConnectionNumber(1), ConnectionNumber(2))
        let ofSecond = events.filter { $0.request?.number == second }.map { ($0.kind.name, $0.connection) }
        #expect(
            ofSecond.map(\.0) == ["acquired", "leaseEnded", "staleRetry", "connecting", "connectionOpened", "acquired"]
        )
        #expect(ofSecond.map(\.1) == [old, old, nil, nil, new, new])
        let closed = events.filter { $0.kind.name == "connectionClosed" }
        #expect(closed.map(\.connection) == [old] && closed.allSatisfy { $0.request == nil })
    }

    // MARK: Dead connections

    @Test("A request that met a dead reused connection goes on, on a new one")
    func staleRetry() throws {
        let rig = Rig()
        let first = try rig.submitAndConnect()
        let second = try rig.submitAndConnect()
        rig.complete(first)
        rig.complete(second)
        let id = rig.submit()
        #expect(rig.takeActions().reused == [second])
        _ = rig.takeEvents()
        #expect(rig.end(second, .stale(sent: true, .peerClosed)) == .retry)
        // The idle connection beside the dead one may be as dead.
        #expect(rig.takeActions().list == [.close(second), .open(second, id)])
        let events = rig.takeEvents()
        #expect(events.closeReasons == [.peerClosed])
        #expect(events.map(\.kind).contains(.staleRetry))
    }

    @Test("A request that is not repeatable is not sent twice, unless nothing was sent")
    func postIsNotSentTwice() throws {
        let rig = Rig()
        for (sent, verdict) in [(true, TransferVerdict.deliver), (false, .retry)] {
            let slot = try rig.idleConnection("h\(sent)")
            _ = rig.submit("h\(sent)", isRepeatable: false)
            _ = rig.takeActions()
            #expect(rig.end(slot, .stale(sent: sent, .peerClosed)) == verdict)
        }
    }

    @Test("A retry waits in front of its origin's queue and keeps its acquire deadline")
    func retryKeepsItsDeadline() throws {
        let rig = Rig {
            $0.maxConnections = 2
            $0.maxConnectionsPerOrigin = 1
        }
        let slot = try rig.idleConnection()
        let id = rig.submit()
        let later = rig.submit()
        _ = rig.takeActions()
        #expect(rig.end(slot, .stale(sent: false, .peerClosed)) == .retry)
        #expect(rig.takeActions().started == [id])
        #expect(rig.levels().requests.queued == 1)
        _ = later
    }

    // MARK: Shutdown

    @Test("Shutdown closes idle connections, fails the queue, refuses the new and waits for the running")
    func shutdown() throws {
        let rig = Rig { $0.maxConnections = 3 }
        let idle = try rig.idleConnection("a")
        let running = try rig.submitAndConnect("b")
        let slow = try rig.submitAndConnect("b")
        var timeouts = PoolTimeouts()
        timeouts.acquire = nil
        _ = rig.submit("c", timeouts: timeouts)
        let waiting = rig.submit("d")
        // c evicted a's idle connection; d waits.
        #expect(rig.takeActions().closed == [idle])
        rig.beginShutdown(ShutdownPolicy(queued: .fail, grace: .seconds(5)))
        #expect(rig.takeActions().list == [.fail(waiting, .shutdown)])
        let refused = rig.submit("a")
        #expect(rig.takeActions().list == [.fail(refused, .shutdown)])
        rig.complete(running)
        #expect(rig.takeActions().closed == [running])
        #expect(!rig.isDrained)
        rig.advance(.seconds(5))
        let actions = rig.takeActions()
        #expect(Set(actions.closed) == [idle, slow])
        #expect(actions.failures == [.shutdown, .shutdown])
        #expect(rig.isDrained)
        for host in ["a", "b", "c", "d"] { #expect(rig.levels(host) == OriginLevels()) }
    }

    @Test("A second shutdown can shorten the grace, not lengthen it", arguments: [1, 9])
    func secondShutdown(seconds: Int) throws {
        let rig = Rig()
        _ = try rig.submitAndConnect()
        rig.beginShutdown(ShutdownPolicy(queued: .fail, grace: .seconds(5)))
        rig.beginShutdown(ShutdownPolicy(queued: .fail, grace: .seconds(seconds)))
        rig.advance(.seconds(min(seconds, 5)))
        #expect(rig.isDrained)
    }

    @Test("Idle connections close as soon as the shutdown begins")
    func shutdownClosesIdle() throws {
        let rig = Rig()
        let slot = try rig.idleConnection()
        _ = rig.takeEvents()
        rig.beginShutdown(ShutdownPolicy())
        #expect(rig.takeActions().closed == [slot])
        #expect(rig.takeEvents().closeReasons == [.shutdown])
        #expect(rig.isDrained)
    }

    @Test("Shutdown may let the queue finish")
    func shutdownFinishesQueue() throws {
        let rig = Rig { $0.maxConnections = 1 }
        let slot = try rig.submitAndConnect()
        let queued = rig.submit()
        _ = rig.takeActions()
        rig.beginShutdown(ShutdownPolicy(queued: .finish, grace: .seconds(5)))
        #expect(rig.takeActions().list.isEmpty)
        rig.complete(slot)
        #expect(rig.takeActions().list == [.reuse(slot, queued)])
        rig.complete(slot)
        #expect(rig.takeActions().closed == [slot])
        #expect(rig.isDrained)
    }
}

extension PoolEvent.Kind {
    /// The name of the case.
    fileprivate var name: String { String("\(self)".prefix { $0 != "(" }) }
}
