/// An event in a pool. It consists of plain values: copying one neither allocates nor retains.
public struct PoolEvent: Sendable, Hashable {
    /// What happened. All durations are nanoseconds.
    @nonexhaustive
    public enum Kind: Sendable, Hashable {
        /// A request has to wait for a slot, because of this limit; `nil` if another cause keeps it waiting, such as a
        /// peer that refuses every connection. It may happen again, when the request loses its slot. `waited`: since
        /// submission, or since the retry.
        case queued(behind: PoolLimit?, waited: UInt64)
        /// A request was given a slot whose connection is not ready. One that is given a ready connection at once
        /// has no such event. `waited`: since submission, or since the retry.
        case connecting(waited: UInt64)
        /// An acquisition ended with a ready connection. `waited`: since submission, or since the retry. `queued`: the
        /// part of it until the request last got a slot, without DNS, TCP and TLS.
        case acquired(AcquireKind, waited: UInt64, queued: UInt64)
        /// An acquisition ended without one. `waited`: since submission, or since the retry. `queued`: the part of it until
        /// the request last got a slot; all of it if it never got one.
        case acquireFailed(AcquireFailure, waited: UInt64, queued: UInt64)
        /// The head of the final response arrived. `waited`: since the request acquired its connection.
        case responded(waited: UInt64)
        /// A request gave its connection back, or lost it. `held`: since it was acquired.
        case leaseEnded(LeaseOutcome, held: UInt64)
        /// A request whose reused connection was dead was submitted once more.
        case staleRetry
        /// A connection became usable, `took` after the decision to open it.
        case connectionOpened(took: UInt64)
        /// A connection never became usable.
        case connectFailed(ConnectFailure, took: UInt64)
        /// A connection that was usable is closed: how long it lived, and how many requests it served.
        case connectionClosed(CloseReason, lifetime: UInt64, requests: UInt32)
    }

    /// What happened.
    public let kind: Kind
    /// The origin to which it happened.
    public let origin: OriginID
    /// When it happened.
    public let time: MonotonicTime
    /// The call site of the request; `unattributed` for what happens to a connection.
    public let site: CallSite
    // Bare numbers, of which 0 and -1 stand for none, keep an event small.
    private let requestIndex: Int32
    private let requestValue: UInt64
    private let connectionValue: UInt64

    /// The request to which it happened; `nil` for what happens to a connection alone, or where the pool does not identify
    /// requests.
    public var request: RequestKey? {
        requestValue == 0 ? nil : RequestKey(number: RequestNumber(requestValue), index: requestIndex)
    }

    /// The connection on which it happened; `nil` if it has no connection, or if the pool does not number them.
    public var connection: ConnectionNumber? { connectionValue == 0 ? nil : ConnectionNumber(connectionValue) }

    /// Describes an event.
    ///
    /// - Parameters:
    ///   - kind: what happened.
    ///   - origin: the origin to which it happened.
    ///   - time: when it happened.
    ///   - site: the call site of the request.
    ///   - request: the request to which it happened, if any. Live leases are shown only of pools that give it.
    ///   - connection: the connection on which it happened, if any.
    public init(
        _ kind: Kind,
        _ origin: OriginID,
        at time: MonotonicTime,
        site: CallSite = .unattributed,
        request: RequestKey? = nil,
        connection: ConnectionNumber? = nil
    ) {
        self.kind = kind
        self.origin = origin
        self.time = time
        self.site = site
        requestIndex = request?.index ?? -1
        requestValue = request?.number.value ?? 0
        connectionValue = connection?.value ?? 0
    }

    /// Describes an event by bare numbers; 0 stands for no request and no connection.
    package init(
        _ kind: Kind,
        _ origin: OriginID,
        at time: MonotonicTime,
        site: CallSite,
        requestIndex: Int32,
        requestValue: UInt64,
        connectionValue: UInt64
    ) {
        self.kind = kind
        self.origin = origin
        self.time = time
        self.site = site
        self.requestIndex = requestIndex
        self.requestValue = requestValue
        self.connectionValue = connectionValue
    }
}

/// A pool's number for an origin. It is valid from the turn that introduces it (see ``PoolTurn/newOrigins``) until
/// a turn assigns the number to another origin.
public struct OriginID: Sendable, Hashable {
    /// The index: small, and reused.
    public let index: Int32

    /// Creates an identifier from its index.
    public init(index: Int32) { self.index = index }
}
