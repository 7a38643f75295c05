import HTTPPool

/// The place of one connection, from the decision to open it until it is closed.
struct Slot {
    enum State {
        case connecting
        /// Ready, with at least one request.
        case active
        case idle
    }

    let origin: Int
    /// The number of its connection: later ones have higher numbers.
    let number: UInt64
    var state = State.connecting
    /// How many requests are in flight on it.
    var streams = 0
    /// How many requests it may have: 1, until the connection turns out to carry several at once.
    var capacity = 1
    /// Whether the connection carries several requests at once; `nil` while that is not known.
    var isMultiplexed: Bool?
    /// When those that share it in expectation try to join; `nil` if there is nothing to wait for.
    var trial: MonotonicTime?
    /// Set when it takes no further request: why it closes when the last one has left it.
    private(set) var retiring: CloseReason?
    /// Requests lost their place on it, through no fault of their own.
    var hasLostRequests = false
    /// A response came on it.
    private(set) var hasResponded = false
    /// It refused a request before any response, and counts among the refusals of its origin.
    private(set) var hasRefused = false
    private(set) var silence: Silence

    /// When it was decided to open the connection.
    let opening: MonotonicTime
    /// When the connection became usable.
    private(set) var opened: MonotonicTime
    private(set) var idleSince: MonotonicTime
    /// For how long at most the peer lets it be used after a response, in nanoseconds.
    private var idleLimit = UInt64.max
    /// How many requests it carried to their end.
    private(set) var served: UInt32 = 0

    init(origin: Int, number: UInt64, opening: MonotonicTime, isMultiplexed: Bool?) {
        self.origin = origin
        self.number = number
        self.opening = opening
        self.isMultiplexed = isMultiplexed
        opened = opening
        idleSince = opening
        silence = Silence(at: opening)
    }

    /// What is left of the announced time is not used up: a request that is sent while the peer closes is lost.
    private static let keepAliveMargin: UInt64 = 1_000_000_000

    /// When an idle connection is too old, or has been idle for longer than its peer keeps it.
    func idleDeadline(maxLifetime: UInt64) -> MonotonicTime { min(opened + maxLifetime, idleSince + idleLimit) }

    // MARK: Changes

    mutating func noteReady(at now: MonotonicTime) {
        state = .active
        opened = now
        silence.noteReceived(at: now)
    }

    mutating func noteIdle(at now: MonotonicTime) {
        state = .idle
        idleSince = now
        trial = nil
        // It is free for anybody now.
        hasLostRequests = false
    }

    mutating func noteReceived(at now: MonotonicTime) { silence.noteReceived(at: now) }

    /// A request ended by a timeout, and nothing came on the connection since the request's last progress.
    mutating func noteSilentTimeout() { silence.begin() }

    /// The peer has announced for how long it keeps the connection without a request, in nanoseconds.
    mutating func noteKeepAlive(_ announced: UInt64) {
        idleLimit = announced - min(announced / 2, Self.keepAliveMargin)
    }

    mutating func noteResponse() { hasResponded = true }

    mutating func noteServed() { served += 1 }

    /// The peer refused a request.
    ///
    /// - Returns: whether it is the first that the connection brought, before any response.
    mutating func noteRefusal() -> Bool {
        guard !hasResponded, !hasRefused else { return false }
        hasRefused = true
        return true
    }

    /// It takes no further request. A reason stays, unless it was only that the connection is beyond a limit.
    mutating func retire(_ reason: CloseReason) {
        if retiring == nil || retiring == .idleSurplus { retiring = reason }
    }

    /// The limits allow it again.
    mutating func noteWithinLimits() {
        if retiring == .idleSurplus { retiring = nil }
    }
}

/// For how long nothing has come on a connection that carries several requests: rule 12.
///
/// A stream that times out may have met a slow handler or a dead path. What tells them apart is whether anything has come on
/// the connection meanwhile, for whichever stream.
struct Silence {
    /// The least silence that counts, in nanoseconds: one slow response with a short timeout of its own is no sign of a dead
    /// peer. (OkHttp gives a peer the same second after a stream timed out.)
    private static let least: UInt64 = 1_000_000_000

    private(set) var lastReceived: MonotonicTime
    /// What ``lastReceived`` was when a request timed out that had seen nothing come.
    private var since: MonotonicTime?

    init(at now: MonotonicTime) { lastReceived = now }

    mutating func noteReceived(at now: MonotonicTime) { lastReceived = now }

    mutating func begin() { since = lastReceived }

    /// When the connection has been silent for long enough; `nil` if it is not silent.
    var deadline: MonotonicTime? {
        guard let since, since == lastReceived else { return nil }
        return since + Self.least
    }
}
