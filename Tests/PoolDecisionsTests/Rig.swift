import HTTPPool
import Testing

@testable import PoolDecisions

/// A state machine with a clock of its own, driven as the driver drives it.
struct Rig {
    var machine: PoolStateMachine
    var now = MonotonicTime(nanoseconds: 1_000_000_000)
    private var number: UInt64 = 0
    private var configuration = PoolConfiguration()

    /// `http2`: its origins may turn out to speak it.
    init(http2: Bool = false, _ change: (inout PoolLimits) -> Void = { _ in }) {
        change(&configuration.limits)
        configuration.transport.http2 = http2 ? .negotiated : .off
        machine = PoolStateMachine(rules: PoolRules(configuration))
    }

    static func origin(_ name: String) -> Origin { Origin(scheme: "https", host: name, port: 443) }

    /// Submits a request and returns its number in the machine.
    mutating func submit(
        _ host: String = "a",
        timeouts: PoolTimeouts = PoolTimeouts(),
        isRepeatable: Bool = true,
        hasBody: Bool = false,
        site: CallSite = .unattributed
    ) -> RequestID {
        number += 1
        return machine.submit(
            NewRequest(
                number: number,
                origin: Self.origin(host),
                site: site,
                submitted: now,
                timeouts: PhaseTimeouts(timeouts),
                isRepeatable: isRepeatable,
                hasBody: hasBody
            ),
            at: now
        )
    }

    /// Submits a request that gets a connection at once, lets the connection open, and returns the slot.
    mutating func submitAndConnect(_ host: String = "a") throws -> SlotID {
        _ = submit(host)
        let slot = try #require(takeActions().opened.first)
        machine.connectionReady(slot, at: now)
        return slot
    }

    /// A connection that is idle: opened, used once, given back.
    mutating func idleConnection(_ host: String = "a") throws -> SlotID {
        let slot = try submitAndConnect(host)
        complete(slot)
        return slot
    }

    @discardableResult
    mutating func complete(_ slot: SlotID, keepAlive: Bool = true) -> TransferVerdict {
        end(slot, .complete(keepAlive: keepAlive))
    }

    /// The transfer of the slot's first request ends.
    @discardableResult
    mutating func end(_ slot: SlotID, _ ending: TransferEnding) -> TransferVerdict {
        guard let id = machine.slots[slot].requests.first else { return .deliver }
        return machine.transferEnded(id, ending, at: now)
    }

    /// Other limits from now on.
    mutating func reconfigure(_ change: (inout PoolLimits) -> Void) {
        change(&configuration.limits)
        machine.reconfigure(configuration, at: now)
    }

    mutating func advance(_ duration: Duration) {
        now = now + duration.wholeNanoseconds
        machine.timePassed(to: now)
    }

    mutating func takeActions() -> Actions {
        defer { machine.actions.removeAll() }
        return Actions(list: machine.actions)
    }

    /// The events of the turn so far; ends the turn.
    mutating func takeEvents() -> [PoolEvent] {
        machine.finishTurn(at: now)
        defer { machine.beginTurn() }
        return machine.turn.events
    }

    func levels(_ host: String = "a") -> OriginLevels {
        for index in machine.origins.indices where machine.origins[index].origin == Self.origin(host) {
            return machine.origins[index].levels
        }
        return OriginLevels()
    }

    struct Actions: Equatable {
        let list: [PoolAction]

        var opened: [SlotID] { list.compactMap { if case .open(let slot, _) = $0 { slot } else { nil } } }
        var closed: [SlotID] { list.compactMap { if case .close(let slot) = $0 { slot } else { nil } } }
        var joined: [RequestID] { list.compactMap { if case .join(_, let id) = $0 { id } else { nil } } }
        var stopped: [RequestID] { list.compactMap { if case .stop(_, let id) = $0 { id } else { nil } } }
        var reused: [SlotID] { list.compactMap { if case .reuse(let slot, _) = $0 { slot } else { nil } } }
        /// Requests that got a slot, in order.
        var started: [RequestID] {
            list.compactMap {
                switch $0 {
                case .open(_, let id), .reuse(_, let id): id
                default: nil
                }
            }
        }
        var failures: [RequestFailure] { list.compactMap { if case .fail(_, let why) = $0 { why } else { nil } } }
    }
}

extension [PoolEvent] {
    var closeReasons: [CloseReason] {
        compactMap { if case .connectionClosed(_, let reason, _, _) = $0 { reason } else { nil } }
    }
    var acquireFailures: [AcquireFailure] {
        compactMap { if case .acquireFailed(_, let reason, _) = $0 { reason } else { nil } }
    }
    var connectFailures: [ConnectFailure] {
        compactMap { if case .connectFailed(_, let reason, _) = $0 { reason } else { nil } }
    }
    var acquireKinds: [AcquireKind] {
        compactMap { if case .acquired(_, let kind, _, _) = $0 { kind } else { nil } }
    }
    var limitWaits: [PoolLimit] {
        compactMap { if case .queued(_, let limit) = $0 { limit } else { nil } }
    }
}

/// HTTP/2.
extension Rig {
    /// A connection that turned out to carry several requests, with as many on it.
    mutating func multiplexed(_ count: Int = 1, _ host: String = "a") throws -> (slot: SlotID, requests: [RequestID]) {
        let requests = (0..<count).map { _ in submit(host) }
        let slot = try #require(takeActions().opened.first)
        machine.connectionReady(slot, at: now)
        machine.answerBegan(slot, isMultiplexed: true, at: now)
        for id in takeActions().joined { machine.joined(id, at: now) }
        return (slot, requests)
    }

    @discardableResult
    mutating func endRequest(_ id: RequestID, _ ending: TransferEnding = .complete(keepAlive: true)) -> TransferVerdict
    {
        machine.transferEnded(id, ending, at: now)
    }
}
