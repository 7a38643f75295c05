import HTTPPool
import LoopbackUpstream
import Testing

@testable import CurlPool

/// Random sequences of everything that can happen to a pool; after each step every rule must hold.
@Suite("Random sequences")
struct RandomSequenceTests {
    @Test("Every rule holds after every step", arguments: 1...24)
    func everyRuleHolds(seed: UInt64) {
        var pool = ModelledPool(seed: seed)
        for step in 0..<4_000 {
            pool.step()
            let broken = pool.brokenRules()
            guard broken.isEmpty else {
                Issue.record("seed \(seed), step \(step), after \(pool.lastStep): \(broken)")
                return
            }
        }
        pool.shutDown()
        #expect(pool.brokenRules() == [], "seed \(seed)")
        #expect(pool.isEmpty, "seed \(seed): something is left after the shutdown")
    }
}

/// The state machine under random input, with an account of its own, kept only from actions and events.
struct ModelledPool {
    private var random: SplitMix64
    private var rig: Rig
    private let rules: PoolLimits
    private(set) var lastStep = ""
    private var connecting: [SlotID: RequestID] = [:]
    private var active: [SlotID: RequestID] = [:]
    private var idle: Set<SlotID> = []
    private var alive: Set<RequestID> = []
    private var acquireDeadlines: [RequestID: MonotonicTime] = [:]
    private var submitted = 0
    private var finished = 0
    private var failed = 0
    private var retried = 0
    private var tally: [PoolEventKind: Int] = [:]
    private var violations: [String] = []

    private static let hosts = ["a", "b", "c", "d", "e"]

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
        var limits = PoolLimits()
        limits.maxConnections = Int.random(in: 1...12, using: &random)
        limits.maxIdleConnections = Int.random(in: 0...limits.maxConnections, using: &random)
        limits.maxConnectionsPerOrigin = Bool.random(using: &random) ? Int.random(in: 1...6, using: &random) : nil
        limits.maxQueuedRequests = Bool.random(using: &random) ? Int.random(in: 0...30, using: &random) : nil
        limits.keepaliveExpiry = [.zero, .milliseconds(50), .seconds(5), nil].randomElement(using: &random) ?? nil
        limits.maxConnectionLifetime = Bool.random(using: &random) ? .milliseconds(500) : nil
        rules = limits
        rig = Rig { $0 = limits }
    }

    mutating func step() {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<35: submit()
        case 35..<50: ready()
        case 50..<72: end()
        case 72..<80: cancel()
        case 80..<85: speak()
        default: pass()
        }
        apply()
    }

    mutating func shutDown() {
        lastStep = "shutdown"
        rig.machine.beginShutdown(ShutdownPolicy(queued: .fail, grace: .seconds(1)), at: rig.now)
        apply()
        rig.advance(.seconds(1))
        apply()
    }

    var isEmpty: Bool {
        rig.machine.isDrained && alive.isEmpty && connecting.isEmpty && active.isEmpty && idle.isEmpty
    }

    // MARK: Steps

    private mutating func submit() {
        var timeouts = PoolTimeouts()
        timeouts.acquire = [.zero, .milliseconds(30), .seconds(2), nil].randomElement(using: &random) ?? nil
        timeouts.total = Int.random(in: 0..<8, using: &random) == 0 ? .milliseconds(80) : nil
        timeouts.connect = .milliseconds(100)
        timeouts.read = .milliseconds(200)
        let id = rig.submit(
            Self.hosts.randomElement(using: &random) ?? "a",
            timeouts: timeouts,
            isRepeatable: Bool.random(using: &random)
        )
        lastStep = "submit \(id)"
        submitted += 1
        alive.insert(id)
        acquireDeadlines[id] = timeouts.acquire.map { rig.now + $0.wholeNanoseconds }
    }

    private mutating func ready() {
        guard let slot = connecting.keys.sorted().randomElement(using: &random) else { return }
        lastStep = "ready \(slot)"
        rig.machine.connectionReady(slot, at: rig.now)
        active[slot] = connecting.removeValue(forKey: slot)
    }

    private mutating func end() {
        let slot: SlotID?
        let ending: TransferEnding
        switch Int.random(in: 0..<10, using: &random) {
        case 0:
            slot = connecting.keys.sorted().randomElement(using: &random)
            ending = .broken(ConnectFailure.allCases.randomElement(using: &random) ?? .other)
        case 1: (slot, ending) = (anActive(), .broken(.other))
        case 2: (slot, ending) = (anActive(), .stale(sent: Bool.random(using: &random), .peerClosed))
        case 3: (slot, ending) = (anActive(), .complete(keepAlive: false))
        default: (slot, ending) = (anActive(), .complete(keepAlive: true))
        }
        guard let slot else { return }
        lastStep = "end \(slot) \(ending)"
        let id = connecting.removeValue(forKey: slot) ?? active.removeValue(forKey: slot)
        if rig.machine.slots.contains(slot), case .complete(true) = ending { idle.insert(slot) }
        switch rig.end(slot, ending) {
        case .deliver:
            if case .complete = ending { finished += 1 } else { failed += 1 }
            if let id { alive.remove(id) }
        case .retry: retried += 1
        }
    }

    private mutating func anActive() -> SlotID? { active.keys.sorted().randomElement(using: &random) }

    private mutating func cancel() {
        guard let id = alive.sorted().randomElement(using: &random) else { return }
        lastStep = "cancel \(id)"
        rig.machine.cancel(id, at: rig.now)
    }

    private mutating func speak() {
        guard let slot = idle.sorted().randomElement(using: &random) else { return }
        lastStep = "speak \(slot)"
        rig.machine.idleConnectionSpoke(slot, .unexpectedData, at: rig.now)
    }

    private mutating func pass() {
        lastStep = "time"
        rig.advance(.milliseconds(Int.random(in: 0...40, using: &random)))
        if let next = rig.machine.nextDeadline() { check(next > rig.now, "something is overdue after time passed") }
    }

    // MARK: The account

    /// Does what the driver would do, and complains of what it could not.
    private mutating func apply() {
        for action in rig.takeActions().list {
            switch action {
            case .open(let slot, let id):
                check(connecting[slot] == nil && active[slot] == nil && !idle.contains(slot), "open on a slot in use")
                check(alive.contains(id), "open for a request that is not alive")
                connecting[slot] = id
            case .reuse(let slot, let id):
                check(idle.remove(slot) != nil, "reuse of a slot that is not idle")
                check(alive.contains(id), "reuse for a request that is not alive")
                active[slot] = id
            case .join, .stop: violations.append("several requests on one HTTP/1.1 connection")
            case .close(let slot):
                // A transfer that ended has left its slot already.
                idle.remove(slot)
                connecting[slot] = nil
                active[slot] = nil
            case .fail(let id, let why):
                check(alive.remove(id) != nil, "a request failed that is not alive")
                if case .acquireTimeout = why {
                    check(acquireDeadlines[id] ?? rig.now <= rig.now, "timed out too early")
                }
                failed += 1
            }
        }
        for event in rig.takeEvents() { tally[PoolEventKind(event), default: 0] += 1 }
    }

    private mutating func check(_ holds: Bool, _ what: String) { if !holds { violations.append(what) } }

    private func count(_ kind: PoolEventKind) -> Int { tally[kind] ?? 0 }

    func brokenRules() -> [String] {
        var broken = violations
        func check(_ holds: Bool, _ what: String) { if !holds { broken.append(what) } }
        var total = OriginLevels()
        for index in rig.machine.origins.indices {
            let origin = rig.machine.origins[index]
            let connections = origin.levels.connections
            check(connections.total <= rules.maxConnectionsPerOrigin ?? .max, "an origin is over its limit")
            check(connections.active == origin.levels.requests.inFlight, "active is not in flight")
            check(connections.connecting == origin.levels.requests.connecting, "connecting differs")
            total.connections.connecting += connections.connecting
            total.connections.active += connections.active
            total.connections.idle += connections.idle
            total.requests.queued += origin.levels.requests.queued
            total.requests.inFlight += origin.levels.requests.inFlight
            if origin.levels.requests.queued > 0 {
                let isCapped = connections.total >= rules.maxConnectionsPerOrigin ?? .max
                check(connections.idle == 0, "a request waits beside an idle connection of its origin")
                check(isCapped || rig.machine.connectionCount == rules.maxConnections, "a request waits for no reason")
                check(
                    isCapped || rig.machine.idleOrder.isEmpty,
                    "a request waits though another origin could make room"
                )
            }
        }
        check(total.connections.connecting == connecting.count, "connecting is not what the actions say")
        check(total.connections.active == active.count, "active is not what the actions say")
        check(total.connections.idle == idle.count, "idle is not what the actions say")
        check(rig.machine.connectionCount == total.connections.total, "the slots are not the connections")
        check(total.connections.total <= rules.maxConnections, "over maxConnections")
        check(total.connections.idle <= rules.maxIdleConnections, "over maxIdleConnections")
        check(total.requests.queued <= rules.maxQueuedRequests ?? .max, "over maxQueuedRequests")
        check(rig.machine.queuedCount == total.requests.queued, "the queue is not what the levels say")
        check(count(.opened) - count(.closed) == total.connections.active + total.connections.idle, "opened - closed")
        check(count(.acquired) - count(.leaseEnded) == total.requests.inFlight, "acquired - ended")
        check(
            submitted + count(.retried)
                == count(.acquired) + count(.acquireFailed) + total.requests.queued + total.connections.connecting,
            "acquisitions are not conserved"
        )
        check(count(.retried) == retried, "retries")
        check(submitted == alive.count + finished + failed, "requests are not conserved")
        return broken
    }
}

/// The kinds of events, for counting.
enum PoolEventKind {
    case acquired, acquireFailed, queued, opened, connectFailed, closed, leaseEnded, retried

    init(_ event: PoolEvent) {
        switch event {
        case .acquired: self = .acquired
        case .acquireFailed: self = .acquireFailed
        case .queued: self = .queued
        case .connectionOpened: self = .opened
        case .connectFailed: self = .connectFailed
        case .connectionClosed: self = .closed
        case .leaseEnded: self = .leaseEnded
        case .staleRetry: self = .retried
        }
    }
}
