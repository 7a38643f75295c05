/// What a request that is not finished is waiting for.
@nonexhaustive
public enum RequestPhase: String, Sendable, Hashable, CaseIterable {
    /// A slot.
    case queued
    /// Its connection, which is being opened or shared.
    case connecting
    /// The peer, which is to take bytes of the request.
    case sending
    /// The head of the response.
    case waitingForHead = "waiting_for_head"
    /// Bytes of the response's body.
    case receiving
    /// The caller, who is to provide the request's body or to read the response's.
    case heldByCaller = "held_by_caller"
}

/// What a request that holds a connection is doing, and since when nothing has moved.
public struct LeaseState: Sendable, Hashable {
    /// What it is waiting for.
    public let phase: RequestPhase
    /// When a byte of it last moved, or what it waits for last changed.
    public let moved: MonotonicTime

    /// Describes a lease.
    public init(_ phase: RequestPhase, moved: MonotonicTime) {
        self.phase = phase
        self.moved = moved
    }

    /// The side that is to move the next byte.
    public var heldBy: LeaseSide { phase == .heldByCaller ? .caller : .peer }
}

/// The side that is to move the next byte of a request that holds a connection.
@nonexhaustive
public enum LeaseSide: String, Sendable, Hashable, CaseIterable {
    /// The peer: it is to take bytes of the request, or to send bytes of the response.
    case peer
    /// The caller: it is to provide the request's body, or to read the response's.
    case caller
}
