public import HTTPPool

/// A request that is not finished.
public struct LiveRequest: Sendable, Hashable {
    /// Its number in the pool.
    public let number: RequestNumber
    /// Its origin: the label of the row that counts it.
    public let origin: String
    /// Its call site: the label of the row that counts it.
    public let site: String
    /// The connection that it holds, if the pool numbers them.
    public let connection: ConnectionNumber?
    /// What it is waiting for; `nil` for a lease of which the pool does not report it.
    public let phase: RequestPhase?
    /// When it began to wait for a connection, or got it.
    public let since: MonotonicTime
    /// When a byte of it last moved; `nil` while it waits for a connection, or if the pool does not report it.
    public let moved: MonotonicTime?
}

extension LiveRequest {
    /// A request that no turn has taken yet.
    init(_ pending: PendingSubmission) {
        number = RequestNumber(pending.number)
        origin = pending.origin.description
        site = pending.site.name
        connection = nil
        phase = .queued
        since = pending.submitted
        moved = nil
    }
}

/// Leases on which no byte has moved for a long time, by the side that is to move the next one.
public struct OverdueLeases: Sendable, Hashable {
    /// The peer is to take bytes of the request or to send bytes of the response.
    public internal(set) var peer = 0
    /// The caller is to provide the request's body or to read the response's.
    public internal(set) var caller = 0

    /// All of them.
    public var total: Int { peer + caller }

    /// Adds a lease.
    mutating func add(_ side: LeaseSide) {
        switch side {
        case .peer: peer += 1
        case .caller: caller += 1
        }
    }
}
