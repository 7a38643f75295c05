import HTTPPool
import HeapModule

/// Peers that take connections and refuse every request on them: rule 13.
///
/// A request that its peer certainly did not process may go on elsewhere. If that were all, a peer that refuses
/// everything (REFUSED_STREAM, or a GOAWAY that lets no stream through) would be sent connection after connection. So when
/// two in a row have brought no response, requests fail, and the next connection is opened alone and after a pause.
extension PoolStateMachine {
    /// What an origin has refused since its last response.
    struct Refusals {
        /// Connections that took a request and ended, or refused it, without a single response.
        var inARow = 0
        /// When another connection may be opened; `nil` where nothing is waited for.
        var pauseEnds: MonotonicTime?
        /// The connection that is tried after the pause. Until it has brought a response it is the only one.
        var trial: SlotID?
        /// When all of it is forgotten.
        var forgottenAt: MonotonicTime?

        /// Whether requests fail rather than go on elsewhere.
        var areTooMany: Bool { inARow >= 2 }
    }

    /// When something changes for an origin.
    struct OriginMoment: Comparable {
        let time: MonotonicTime
        let origin: Int

        static func < (a: Self, b: Self) -> Bool { a.time < b.time }
    }

    private static let shortestPause: UInt64 = 50_000_000
    private static let longestPause: UInt64 = 1_000_000_000
    /// So long after its last refusal nothing is held against an origin that nobody asks any more.
    private static let memory: UInt64 = 10_000_000_000

    /// Whether the origin may have another connection, as far as its peer's refusals go.
    func mayOpen(_ origin: Int) -> Bool {
        let refusals = origins[origin].refusals
        return !refusals.areTooMany || refusals.pauseEnds == nil && refusals.trial == nil
    }

    /// A response came on the slot's connection.
    mutating func answered(_ slot: SlotID) {
        slots[slot].hasAnswered = true
        let origin = slots[slot].origin
        guard origins[origin].refusals.inARow > 0 else { return }
        origins[origin].refusals = Refusals()
        rerank(origin)
    }

    /// A connection was opened for the origin.
    mutating func noteTrial(_ slot: SlotID) {
        let origin = slots[slot].origin
        if origins[origin].refusals.areTooMany { origins[origin].refusals.trial = slot }
    }

    /// The peer refused a request, or ended the connection under it.
    mutating func noteRefusal(on slot: SlotID, at now: MonotonicTime) {
        guard !slots[slot].hasAnswered, !slots[slot].hasRefused else { return }
        slots[slot].hasRefused = true
        let origin = slots[slot].origin
        if origins[origin].refusals.trial == slot { origins[origin].refusals.trial = nil }
        origins[origin].refusals.inARow += 1
        if origins[origin].refusals.areTooMany { pause(origin, at: now) } else { expectToForget(origin, at: now) }
    }

    /// The slot is free. A trial that ended without a response, whoever ended it, is followed by another pause.
    mutating func endTrial(_ slot: SlotID, at now: MonotonicTime) {
        let origin = slots[slot].origin
        guard origins[origin].refusals.trial == slot else { return }
        origins[origin].refusals.trial = nil
        origins[origin].refusals.inARow += 1
        pause(origin, at: now)
    }

    private mutating func pause(_ origin: Int, at now: MonotonicTime) {
        let doublings = min(origins[origin].refusals.inARow - 2, 5)
        let end = now + min(Self.shortestPause << doublings, Self.longestPause)
        origins[origin].refusals.pauseEnds = end
        origins[origin].refusals.forgottenAt = nil
        insertMoment(of: origin, at: end)
        rerank(origin)
    }

    private mutating func expectToForget(_ origin: Int, at now: MonotonicTime) {
        // After a shutdown began it is over soon enough.
        guard shutdown == nil else { return }
        let time = now + Self.memory
        origins[origin].refusals.forgottenAt = time
        insertMoment(of: origin, at: time)
    }

    private mutating func insertMoment(of origin: Int, at time: MonotonicTime) {
        originMoments.insert(OriginMoment(time: time, origin: origin))
        if originMoments.count > 2 * origins.count + 64 {
            originMoments = Heap(originMoments.unordered.filter(isLive))
        }
    }

    // MARK: Time

    func isLive(_ moment: OriginMoment) -> Bool {
        guard origins.contains(moment.origin) else { return false }
        let refusals = origins[moment.origin].refusals
        return refusals.pauseEnds == moment.time || refusals.forgottenAt == moment.time
    }

    /// A pause is over, or it is time to forget.
    mutating func originMomentCame(_ moment: OriginMoment, at now: MonotonicTime) {
        let origin = moment.origin
        if origins[origin].refusals.pauseEnds == moment.time {
            origins[origin].refusals.pauseEnds = nil
            expectToForget(origin, at: now)
            rerank(origin)
        } else if origins[origin].levels == OriginLevels() {
            forgetRefusals(of: origin)
        } else {
            expectToForget(origin, at: now)
        }
    }

    /// Nothing is remembered for longer than the pool lives.
    mutating func forgetIdleRefusals() {
        for origin in origins.indices where origins[origin].levels == OriginLevels() { forgetRefusals(of: origin) }
        for origin in origins.indices { origins[origin].refusals.forgottenAt = nil }
    }

    private mutating func forgetRefusals(of origin: Int) {
        origins[origin].refusals = Refusals()
        // It can go with this turn.
        touch(origin)
    }
}
