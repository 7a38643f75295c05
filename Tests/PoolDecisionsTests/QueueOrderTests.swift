import HTTPPool
import LoopbackUpstream
import Testing

@testable import PoolDecisions

@Suite("Whose turn it is")
struct QueueOrderTests {
    /// Connections that are ready, for each host as many.
    private func holding(_ hosts: [(String, Int)], fifo: Bool = false) throws -> (rig: Rig, slots: [String: [SlotID]]) {
        let total = hosts.reduce(0) { $0 + $1.1 }
        let rig = Rig {
            $0.maxConnections = total
            $0.queueOrder = fifo ? .fifo : .fair
        }
        var slots: [String: [SlotID]] = [:]
        for (host, count) in hosts { slots[host] = try (0..<count).map { _ in try rig.submitAndConnect(host) } }
        return (rig, slots)
    }

    private func slot(_ slots: [String: [SlotID]], _ host: String, _ index: Int = 0) throws -> SlotID {
        try #require(slots[host])[index]
    }

    @Test("An origin that holds none comes before one that holds many, however long that one has waited")
    func fewestFirst() throws {
        let (rig, slots) = try holding([("busy", 3)])
        let waiting = (0..<10).map { _ in rig.submit("busy") }
        let health = rig.submit("health")
        let freed = try slot(slots, "busy")
        _ = rig.takeActions()
        rig.complete(freed)
        #expect(rig.takeActions().list == [.close(freed), .open(freed, health)])
        rig.connectionReady(freed)
        rig.complete(freed)
        #expect(rig.takeActions().started == [waiting[0]])
    }

    @Test("In order of submission it waits behind all of them")
    func fifoStarves() throws {
        let (rig, slots) = try holding([("busy", 3)], fifo: true)
        let waiting = (0..<10).map { _ in rig.submit("busy") }
        let health = rig.submit("health")
        let freed = try slot(slots, "busy")
        _ = rig.takeActions()
        for id in waiting {
            rig.complete(freed)
            #expect(rig.takeActions().list == [.reuse(freed, id)])
        }
        rig.complete(freed)
        #expect(rig.takeActions().started == [health])
    }

    @Test("Of two that hold as many, the one whose connection it was keeps it")
    func equalsKeep() throws {
        let (rig, slots) = try holding([("a", 3), ("b", 2)])
        let later = rig.submit("b")
        let ofA = rig.submit("a")
        _ = rig.takeActions()
        // a holds two after it, as many as b, which has waited for longer.
        let freed = try slot(slots, "a")
        rig.complete(freed)
        #expect(rig.takeActions().list == [.reuse(freed, ofA)])
        #expect(rig.machine.waiting.contains(later))
    }

    @Test("Of others that hold as many, the one that has gone longest without is served")
    func equalsByWaiting() throws {
        let (rig, slots) = try holding([("a", 4), ("b", 1), ("c", 1)])
        let ofB = rig.submit("b")
        let ofC = rig.submit("c")
        _ = rig.submit("a")
        _ = rig.takeActions()
        rig.complete(try slot(slots, "a", 0))
        #expect(rig.takeActions().started == [ofB])
        rig.complete(try slot(slots, "a", 1))
        #expect(rig.takeActions().started == [ofC])
    }

    @Test("Among those that hold none, what one was given since counts, not only when it was submitted")
    func lastGivenCounts() throws {
        let rig = Rig { $0.maxConnections = 1 }
        let slot = try rig.submitAndConnect("a")
        let first = rig.submit("a")
        let second = rig.submit("b")
        let third = rig.submit("a")
        _ = rig.takeActions()
        // Its waiter was first, and a has gone without since then.
        rig.complete(slot)
        #expect(rig.takeActions().started == [first])
        rig.complete(slot)
        #expect(rig.takeActions().started == [second])
        rig.connectionReady(slot)
        rig.complete(slot)
        #expect(rig.takeActions().started == [third])
    }

    @Test("A request that is sent again takes the slot that its connection leaves")
    func retryKeepsItsSlot() throws {
        let rig = Rig { $0.maxConnections = 2 }
        let slot = try rig.submitAndConnect("a")
        _ = try rig.submitAndConnect("a")
        rig.complete(slot)
        let again = rig.submit("a")
        _ = rig.submit("b")
        _ = rig.takeActions()
        #expect(rig.end(slot, .stale(sent: false, .peerClosed)) == .retry)
        #expect(rig.takeActions().list == [.close(slot), .open(slot, again)])
    }

    @Test(
        "Requests that lost their place wait for the slot that their connection leaves, and take it before all others"
    )
    func lostPlaceIsKept() throws {
        let rig = Rig(http2: true) { $0.maxConnections = 2 }
        let (slot, ids) = try rig.multiplexed(3)
        let (other, _) = try rig.multiplexed(1, "b")
        rig.endRequest(ids[0])
        let again = rig.submit("a")
        for id in rig.takeActions().joined { rig.joined(id) }
        rig.advance(.milliseconds(1))
        #expect(rig.endRequest(again, .stale(sent: false, .peerClosed)) == .retry)
        let fresh = rig.submit("c")
        #expect(rig.takeActions().opened.isEmpty)
        rig.endRequest(ids[1])
        rig.endRequest(ids[2])
        #expect(rig.takeActions().list == [.close(slot), .open(slot, again)])
        #expect(rig.machine.waiting.contains(fresh))
        #expect(rig.machine.slots[other].state == .active)
    }

    @Test("Another order counts from the moment it is set")
    func changes() throws {
        let (rig, slots) = try holding([("busy", 2)], fifo: true)
        let waiting = (0..<4).map { _ in rig.submit("busy") }
        let health = rig.submit("health")
        _ = rig.takeActions()
        rig.complete(try slot(slots, "busy"))
        #expect(rig.takeActions().started == [waiting[0]])
        rig.reconfigure { $0.queueOrder = .fair }
        rig.complete(try slot(slots, "busy"))
        #expect(rig.takeActions().started == [health])
    }

    // MARK: Cold connections

    /// How a load comes.
    enum Load: CaseIterable {
        /// As many callers for each origin, each with one request after the other.
        case callers
        /// Requests come at random, for each origin as many on average.
        case arrivals
    }

    private func opens(_ order: QueueOrder, _ load: Load, seed: UInt64) -> Int {
        let rig = Rig {
            $0.maxConnections = 20
            $0.queueOrder = order
        }
        var random = SplitMix64(seed: seed)
        let hosts = ["a", "b", "c"]
        var opened = 0
        var active: [(slot: SlotID, host: String)] = []
        func settle() {
            for action in rig.takeActions().list {
                switch action {
                case .open(let slot, let id):
                    opened += 1
                    active.append((slot, rig.machine.origins[rig.machine.requests[id].origin].origin.host))
                    rig.connectionReady(slot)
                case .reuse(let slot, let id):
                    active.append((slot, rig.machine.origins[rig.machine.requests[id].origin].origin.host))
                default: break
                }
            }
        }
        func endOne() {
            guard !active.isEmpty else { return }
            let (slot, host) = active.remove(at: Int.random(in: active.indices, using: &random))
            rig.complete(slot)
            settle()
            if load == .callers { _ = rig.submit(host) }
            settle()
        }
        if load == .callers { for _ in 0..<10 { for host in hosts { _ = rig.submit(host) } } }
        settle()
        for _ in 0..<2_000 {
            rig.now = rig.now + 1_000_000
            if load == .arrivals, rig.machine.waiting.count < 60, Int.random(in: 0..<100, using: &random) < 52 {
                _ = rig.submit(hosts.randomElement(using: &random) ?? "a")
                settle()
            } else {
                endOne()
            }
        }
        return opened
    }

    @Test("Three origins that could each use half the pool cost no more cold connections than in order of submission")
    func coldConnections() {
        for load in Load.allCases {
            for seed in [1, 2] as [UInt64] {
                let (fair, fifo) = (opens(.fair, load, seed: seed), opens(.fifo, load, seed: seed))
                #expect(Double(fair) <= 1.1 * Double(fifo), "\(load): \(fair) and \(fifo)")
                print("Cold connections, \(load), seed \(seed): \(fair) with fair, \(fifo) with fifo")
            }
        }
    }
}
