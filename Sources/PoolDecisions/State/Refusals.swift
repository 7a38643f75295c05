import HTTPPool

/// What the origins' peers have refused since their last response: rule 13.
///
/// A request that its peer certainly did not process may go on elsewhere. If that were all, a peer that refuses everything
/// (REFUSED_STREAM, or a GOAWAY that lets no stream through) would be sent connection after connection. So when two in a
/// row have brought no response, requests fail, and the next connection is opened alone and after a pause.
struct Refusals {
    private struct Account {
        /// Connections that took a request and ended, or refused it, without a single response.
        var inARow = 0
        /// The connection that is tried after a pause. Until it has brought a response it is the only one.
        var trial: SlotID?
        /// Whether the alarm means the end of a pause, before which no connection is opened; otherwise, if one is set, it
        /// means that all of this is forgotten.
        var isPausing = false

        var areTooMany: Bool { inARow >= 2 }
    }

    /// What the end of a period has changed.
    enum Change {
        /// Another connection may be opened.
        case pauseEnded
        /// Nothing is held against the origin any more.
        case forgotten
        case nothing
    }

    private static let shortestPause: UInt64 = 50_000_000
    private static let longestPause: UInt64 = 1_000_000_000
    /// For how long after its last refusal an origin that nobody asks is remembered, in nanoseconds.
    private static let memory: UInt64 = 10_000_000_000

    /// By origin; those beyond the end have refused nothing.
    private var accounts: [Account] = []
    /// By origin.
    private var alarms = Alarms()
    private var remembers = true

    /// Whether the origin has refused nothing since its last response.
    func areNone(of origin: Int) -> Bool { origin >= accounts.count || accounts[origin].inARow == 0 }

    /// Whether requests of the origin fail rather than go on elsewhere.
    func areTooMany(of origin: Int) -> Bool { origin < accounts.count && accounts[origin].areTooMany }

    /// Whether another connection may be opened.
    func mayOpen(_ origin: Int) -> Bool {
        guard areTooMany(of: origin) else { return true }
        return !accounts[origin].isPausing && accounts[origin].trial == nil
    }

    // MARK: What connections come to

    /// A response came.
    ///
    /// - Returns: whether there were refusals before it.
    mutating func noteResponse(of origin: Int) -> Bool {
        guard !areNone(of: origin) else { return false }
        forget(origin)
        return true
    }

    /// A connection is being opened.
    mutating func noteOpening(_ slot: SlotID, of origin: Int) {
        if areTooMany(of: origin) { accounts[origin].trial = slot }
    }

    /// The connection's peer has refused a request, or ended it before any response.
    ///
    /// - Returns: whether ``mayOpen(_:)`` may have changed.
    mutating func noteRefusal(on slot: SlotID, of origin: Int, at now: MonotonicTime) -> Bool {
        while accounts.count <= origin { accounts.append(Account()) }
        if accounts[origin].trial == slot { accounts[origin].trial = nil }
        accounts[origin].inARow += 1
        guard accounts[origin].areTooMany else {
            remember(origin, at: now)
            return false
        }
        pause(origin, at: now)
        return true
    }

    /// The slot is free. A trial that ended without a response, for whatever reason, is followed by another pause.
    ///
    /// - Returns: whether ``mayOpen(_:)`` may have changed.
    mutating func noteEnd(of slot: SlotID, of origin: Int, at now: MonotonicTime) -> Bool {
        guard origin < accounts.count, accounts[origin].trial == slot else { return false }
        accounts[origin].trial = nil
        accounts[origin].inARow += 1
        pause(origin, at: now)
        return true
    }

    private mutating func pause(_ origin: Int, at now: MonotonicTime) {
        let doublings = min(accounts[origin].inARow - 2, 5)
        accounts[origin].isPausing = true
        alarms.set(origin, at: now + min(Self.shortestPause << doublings, Self.longestPause))
    }

    private mutating func remember(_ origin: Int, at now: MonotonicTime) {
        if remembers { alarms.set(origin, at: now + Self.memory) } else { alarms.cancel(origin) }
    }

    // MARK: Time

    /// When the first period ends.
    mutating func firstDeadline() -> MonotonicTime { alarms.first() }

    /// An origin one of whose periods is over; ``periodEnded(of:isUnused:at:)`` follows.
    mutating func takeDue(at now: MonotonicTime) -> Int? { alarms.takeDue(at: now) }

    /// `isUnused`: the origin has neither connections nor requests.
    mutating func periodEnded(of origin: Int, isUnused: Bool, at now: MonotonicTime) -> Change {
        if accounts[origin].isPausing {
            accounts[origin].isPausing = false
            remember(origin, at: now)
            return .pauseEnded
        }
        guard isUnused else {
            remember(origin, at: now)
            return .nothing
        }
        forget(origin)
        return .forgotten
    }

    /// Nothing is remembered beyond the pauses that are under way: a shutdown has begun.
    mutating func stopRemembering() {
        remembers = false
        for origin in accounts.indices where !accounts[origin].isPausing { alarms.cancel(origin) }
    }

    mutating func forget(_ origin: Int) {
        guard origin < accounts.count else { return }
        accounts[origin] = Account()
        alarms.cancel(origin)
    }

    mutating func forgetAll() {
        for origin in accounts.indices { forget(origin) }
    }
}
