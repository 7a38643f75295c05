import Glibc
import HTTPPool
import Testing

@testable import PoolDecisions

/// What one event costs does not grow with how many requests wait, how many connections are idle and how many requests are
/// in flight.
///
/// The same events in a pool and in one a hundred times as full: whatever looks at all of something would cost a hundred
/// times as much. Ten times is allowed, for caches and for heaps, whose cost is logarithmic. It is the thread's own
/// processor time that is compared, so it does not matter what else the machine does.
@Suite("The cost of one event", .serialized)
struct CostTests {
    struct Scenario: CustomTestStringConvertible {
        let testDescription: String
        /// As many as there are in the full pool.
        let full: Int
        let prepare: @Sendable (_ count: Int) -> Rig
        let event: @Sendable (Rig) -> Void
    }

    static let scenarios = [
        Scenario(testDescription: "A request queues behind many and is cancelled", full: 50_000) { count in
            queue(count)
        } event: { rig in
            rig.cancel(rig.submit())
        },
        Scenario(testDescription: "A connection goes to the next of many", full: 50_000) { count in
            queue(count)
        } event: { rig in
            rig.complete(0)
        },
        Scenario(testDescription: "A connection goes to the next of many origins", full: 50_000) { count in
            let rig = Rig { $0.maxConnections = 1 }
            for number in 0..<count { _ = rig.submit("h\(number)") }
            rig.connectionReady(0)
            return rig
        } event: { rig in
            rig.complete(0)
            rig.connectionReady(0)
        },
        Scenario(testDescription: "A request meets a dead connection while many wait elsewhere", full: 50_000) {
            count in
            let rig = Rig {
                $0.maxConnections = 3
                $0.maxConnectionsPerOrigin = 1
            }
            for _ in 0..<count { _ = rig.submit("a") }
            _ = rig.submit("b")
            rig.connectionReady(1)
            return rig
        } event: { rig in
            rig.complete(1)
            _ = rig.submit("b")
            rig.end(1, .stale(sent: false, .peerClosed))
            rig.connectionReady(1)
        },
        Scenario(testDescription: "A request comes and goes beside many in flight", full: 5_000) { count in
            connections(count, idle: false)
        } event: { rig in
            rig.complete(0)
            _ = rig.submit()
        },
        Scenario(testDescription: "A request comes and goes beside many idle connections", full: 5_000) { count in
            connections(count, idle: true)
        } event: { rig in
            _ = rig.submit()
            if let slot = rig.takeActions().reused.first { rig.complete(slot) }
        },
        Scenario(testDescription: "A stream ends and another begins beside many", full: 1_000) { count in
            streams(count)
        } event: { rig in
            if let id = rig.machine.places.first(of: 0) { rig.endRequest(id) }
            _ = rig.submit()
            for id in rig.takeActions().joined { rig.joined(id) }
        },
        Scenario(testDescription: "Nothing is due among many deadlines", full: 50_000) { count in
            queue(count)
        } event: { rig in
            rig.advance(.nanoseconds(1))
            _ = rig.machine.nextDeadline()
        },
    ]

    @Test("A hundred times as full, an event costs about the same", arguments: scenarios)
    func costsTheSame(scenario: Scenario) {
        let empty = scenario.prepare(scenario.full / 100)
        let full = scenario.prepare(scenario.full)
        let inEmpty = Self.cost(of: scenario.event, in: empty)
        let inFull = Self.cost(of: scenario.event, in: full)
        #expect(inFull < 10 * inEmpty, "\(inEmpty) ns and \(inFull) ns")
    }

    // MARK: Full pools

    private static func queue(_ count: Int) -> Rig {
        let rig = Rig { $0.maxConnections = 1 }
        for _ in 0...count { _ = rig.submit() }
        rig.connectionReady(0)
        return rig
    }

    private static func connections(_ count: Int, idle: Bool) -> Rig {
        let rig = Rig {
            $0.maxConnections = count
            $0.maxIdleConnections = count
        }
        for _ in 0..<count { _ = rig.submit() }
        for slot in rig.takeActions().opened { rig.connectionReady(slot) }
        if idle { for slot in 0..<count { rig.complete(slot) } }
        return rig
    }

    private static func streams(_ count: Int) -> Rig {
        let rig = Rig(http2: true) { $0.maxConnections = count }
        for _ in 0..<count { _ = rig.submit() }
        var actions = rig.takeActions()
        while !actions.list.isEmpty {
            for slot in actions.opened {
                rig.connectionReady(slot)
                rig.responseBegan(slot, isMultiplexed: true)
            }
            for id in actions.joined { rig.joined(id) }
            actions = rig.takeActions()
        }
        return rig
    }

    // MARK: Counting

    /// The cheapest of several rounds, in nanoseconds for each event.
    private static func cost(of event: (Rig) -> Void, in rig: Rig) -> UInt64 {
        var cheapest = UInt64.max
        for _ in 0..<8 {
            _ = rig.takeEvents()
            _ = rig.takeActions()
            let before = processorTime()
            for _ in 0..<25 {
                event(rig)
                _ = rig.takeActions()
                rig.machine.finishTurn(at: rig.now)
                rig.machine.beginTurn()
            }
            cheapest = min(cheapest, (processorTime() - before) / 25)
        }
        return cheapest
    }

    private static func processorTime() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
