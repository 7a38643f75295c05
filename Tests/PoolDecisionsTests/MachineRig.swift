import HTTPPool
import Testing

@testable import PoolDecisions

/// A state machine with a clock of its own, driven as the driver drives it.
///
/// A class, because the state machine cannot be copied and expectations copy what they look at.
final class Rig {
    var machine: PoolStateMachine
    /// What was decided since the actions were taken last.
    private var decided: [PoolAction] = []
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
    func submit(
        _ host: String = "a",
        timeouts: PoolTimeouts = PoolTimeouts(),
        isRepeatable: Bool = true,
        hasBody: Bool = false,
        site: CallSite = .unattributed
    ) -> RequestID {
        number += 1
        let submission = machine.submit(
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
        let id = submission.id
        note(submission.takeActions())
        return id
    }

    /// Keeps the actions as the driver does with those that it cannot do at once.
    private func note(_ actions: consuming PoolActions) { machine.recycle(actions.append(to: &decided)) }

    // MARK: Inputs

    func connectionReady(_ slot: SlotID) { note(machine.connectionReady(slot, at: now)) }

    func responseBegan(_ slot: SlotID, isMultiplexed: Bool) {
        note(machine.responseBegan(slot, isMultiplexed: isMultiplexed, at: now))
    }

    func joined(_ id: RequestID) { note(machine.joined(id, at: now)) }

    func joinRefused(_ id: RequestID) { note(machine.joinRefused(id, at: now)) }

    func cancel(_ id: RequestID) { note(machine.end(id, .cancelled, at: now)) }

    func bodyFailed(_ id: RequestID) { note(machine.end(id, .bodyFailed, at: now)) }

    func idleConnectionEnded(_ slot: SlotID, _ reason: CloseReason) {
        note(machine.idleConnectionEnded(slot, reason, at: now))
    }

    func received(on slot: SlotID) { machine.received(on: slot, at: now) }

    func progress(_ id: RequestID, _ awaiting: Awaiting) { machine.progress(id, awaiting, at: now) }

    func awaits(_ id: RequestID, _ awaiting: Awaiting) { machine.awaits(id, awaiting, at: now) }

    func beginShutdown(_ policy: ShutdownPolicy) { note(machine.beginShutdown(policy, at: now)) }

    func timePassed() { note(machine.timePassed(to: now)) }

    @discardableResult
    func transferEnded(_ id: RequestID, _ ending: TransferEnding) -> TransferVerdict {
        let ended = machine.transferEnded(id, ending, at: now)
        let verdict = ended.verdict
        note(ended.takeActions())
        return verdict
    }

    var isDrained: Bool { machine.isDrained }

    // MARK: Several inputs at once

    /// Submits a request that gets a connection at once, lets the connection open, and returns the slot.
    func submitAndConnect(_ host: String = "a") throws -> SlotID {
        _ = submit(host)
        let slot = try #require(takeActions().opened.first)
        connectionReady(slot)
        return slot
    }

    /// A connection that is idle: opened, used once, given back.
    func idleConnection(_ host: String = "a") throws -> SlotID {
        let slot = try submitAndConnect(host)
        complete(slot)
        return slot
    }

    @discardableResult
    func complete(_ slot: SlotID, keepAlive: Bool = true) -> TransferVerdict {
        end(slot, .complete(keepAlive: keepAlive))
    }

    /// The transfer of the slot's first request ends.
    @discardableResult
    func end(_ slot: SlotID, _ ending: TransferEnding) -> TransferVerdict {
        guard let id = machine.places.first(of: slot) else { return .deliver }
        return transferEnded(id, ending)
    }

    /// Other limits from now on.
    func reconfigure(_ change: (inout PoolLimits) -> Void) {
        change(&configuration.limits)
        note(machine.reconfigure(configuration, at: now))
    }

    func advance(_ duration: Duration) {
        now = now + duration.wholeNanoseconds
        timePassed()
    }

    func takeActions() -> Actions {
        defer { decided.removeAll(keepingCapacity: true) }
        return Actions(list: decided)
    }

    /// The events of the turn so far; ends the turn.
    func takeEvents() -> [PoolEvent] {
        machine.finishTurn(at: now)
        defer { machine.beginTurn() }
        return machine.record.turn.events
    }

    func levels(_ host: String = "a") -> OriginLevels {
        for index in machine.origins.indices where machine.origins[index].origin == Self.origin(host) {
            return machine.record.levels(of: index)
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
        compactMap { if case .connectionClosed(let reason, _, _) = $0.kind { reason } else { nil } }
    }
    var acquireFailures: [AcquireFailure] {
        compactMap { if case .acquireFailed(let reason, _, _) = $0.kind { reason } else { nil } }
    }
    var connectFailures: [ConnectFailure] {
        compactMap { if case .connectFailed(let reason, _) = $0.kind { reason } else { nil } }
    }
    var acquireKinds: [AcquireKind] {
        compactMap { if case .acquired(let kind, _, _) = $0.kind { kind } else { nil } }
    }
    var limitWaits: [PoolLimit] {
        compactMap { if case .queued(let limit, _) = $0.kind { limit } else { nil } }
    }
}

/// HTTP/2.
extension Rig {
    /// A connection that turned out to carry several requests, with as many on it.
    func multiplexed(_ count: Int = 1, _ host: String = "a") throws -> (slot: SlotID, requests: [RequestID]) {
        let requests = (0..<count).map { _ in submit(host) }
        let slot = try #require(takeActions().opened.first)
        connectionReady(slot)
        responseBegan(slot, isMultiplexed: true)
        for id in takeActions().joined { joined(id) }
        return (slot, requests)
    }

    @discardableResult
    func endRequest(_ id: RequestID, _ ending: TransferEnding = .complete(keepAlive: true)) -> TransferVerdict {
        transferEnded(id, ending)
    }
}
