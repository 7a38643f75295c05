import HTTPPool

/// The number of a slot: the place of one connection. Free numbers are used again.
typealias SlotID = Int
/// The number of a request that is not finished. Free numbers are used again.
typealias RequestID = Int

/// What the driver is to do, in the order in which it stands.
enum PoolAction: Equatable {
    /// Open a connection in the slot, which is free, and send the request on it.
    case open(SlotID, RequestID)
    /// Send the request on the slot's idle connection.
    case reuse(SlotID, RequestID)
    /// Stop the slot's transfer, if one is running, and close its connection. The slot is free afterwards.
    case close(SlotID)
    /// Tell the caller that the request failed. The number is free afterwards.
    case fail(RequestID, RequestFailure)
}

/// Why the pool itself ended a request.
enum RequestFailure: Equatable {
    case acquireTimeout(behind: PoolLimit, otherWaiters: Int)
    case connectTimeout
    case readTimeout
    case writeTimeout
    case totalTimeout
    case queueFull
    case shutdown
    case cancelled
}

/// How a transfer ended.
enum TransferEnding: Equatable {
    /// The whole exchange was carried out. `keepAlive`: the connection is open and may serve another request.
    case complete(keepAlive: Bool)
    /// It broke. The reason counts if the connection never became usable.
    case broken(ConnectFailure)
    /// The reused connection turned out to be dead before a byte of the answer came. `sent`: the request may have
    /// reached the peer. `reason`: what the connection died of.
    case stale(sent: Bool, CloseReason)
}

/// What becomes of the request whose transfer ended.
enum TransferVerdict: Equatable {
    /// It is finished; its number is free. The caller gets the result of the transfer.
    case deliver
    /// It goes on, on a new connection.
    case retry
}

/// A request as the state machine sees it.
struct NewRequest {
    /// The number of its submission; later ones have higher numbers.
    var number: UInt64
    var origin: Origin
    var site: CallSite
    var submitted: MonotonicTime
    var timeouts: PhaseTimeouts
    /// It may be sent twice: an idempotent method, and a body that is still there.
    var isRepeatable: Bool
    var hasBody: Bool
}
