package import HTTPPool

/// The number of a slot: the place of one connection. Free numbers are used again.
package typealias SlotID = Int
/// The number of a request that is not finished. Free numbers are used again.
package typealias RequestID = Int

/// What the driver is to do, in the order in which it stands.
package enum PoolAction: Equatable {
    /// Open a connection in the slot, which is free, and send the request on it.
    case open(SlotID, RequestID)
    /// Send the request on the slot's idle connection.
    case reuse(SlotID, RequestID)
    /// Try to send the request on the slot's connection, beside others.
    case join(SlotID, RequestID)
    /// Stop the request's transfer, if one is running. The slot's connection goes on.
    case stop(SlotID, RequestID)
    /// Stop the slot's transfers, if any are running, and close its connection. The slot is free afterwards.
    case close(SlotID)
    /// Report to the caller that the request failed. The number is free afterwards.
    case fail(RequestID, RequestFailure)
}

/// Why the pool itself ended a request.
package enum RequestFailure: Equatable {
    /// `behind`: the limit in the way; `nil` where the peer refuses everything and no connection is tried.
    case acquireTimeout(behind: PoolLimit?, otherWaiters: Int)
    case connectTimeout
    case readTimeout
    case writeTimeout
    case totalTimeout
    case queueFull
    case shutdown
    case cancelled
    /// The body that the caller was to provide broke; the error is the caller's own.
    case bodyFailed
}

/// Who is to move the next byte of a request that holds a connection.
package enum Awaiting {
    /// The peer: bytes of the response. The read timeout runs.
    case response
    /// The peer: it is to take bytes of the body. The write timeout runs.
    case peerTakes
    /// The caller: it reads slowly, or provides its body slowly. No timeout but the total one runs.
    case caller
}

/// How a transfer ended.
package enum TransferEnding: Equatable {
    /// The whole exchange was carried out. `status`: that of the response. `keepAlive`: the connection is open and may serve
    /// another request.
    case complete(status: Int = 200, keepAlive: Bool)
    /// It broke. The reason counts if the connection never became usable, the outcome if it did. `keepAlive`: it broke
    /// alone, and the connection that it shares goes on.
    case broken(ConnectFailure, outcome: LeaseOutcome = .connectionLost, keepAlive: Bool = false)
    /// The reused connection turned out to be dead before a byte of the response came. `sent`: the request may have
    /// reached the peer. `reason`: what the connection died of.
    case stale(sent: Bool, CloseReason)
}

/// What becomes of the request whose transfer ended.
package enum TransferVerdict: Equatable {
    /// It is finished; its number is free. The caller gets the result of the transfer.
    case deliver
    /// It is finished, and its number free: the peer refuses whatever is sent. The caller gets an error that says so.
    case refuse
    /// It goes on, on a new connection.
    case retry
}

/// A request as the state machine sees it.
package struct NewRequest {
    /// The number of its submission; later ones have higher numbers.
    package let number: UInt64
    package let origin: Origin
    package let site: CallSite
    package let submitted: MonotonicTime
    package let timeouts: PhaseTimeouts
    /// It may be sent twice: an idempotent method, and a body that is still there.
    package let isRepeatable: Bool
    package let hasBody: Bool
    /// The trace that its events belong to, if any.
    package let trace: TraceID?

    @inlinable package init(
        number: UInt64,
        origin: Origin,
        site: CallSite,
        submitted: MonotonicTime,
        timeouts: PhaseTimeouts,
        isRepeatable: Bool,
        hasBody: Bool,
        trace: TraceID? = nil
    ) {
        self.number = number
        self.origin = origin
        self.site = site
        self.submitted = submitted
        self.timeouts = timeouts
        self.isRepeatable = isRepeatable
        self.hasBody = hasBody
        self.trace = trace
    }
}
