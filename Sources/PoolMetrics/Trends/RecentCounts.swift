package import HTTPPool

/// The counters that tell what has happened lately, truncated to 32 bits: differences of two are right all the same.
package struct RecentCounts: Sendable {
    /// Acquisitions of a new connection, and of one that was there.
    package private(set) var acquiredNew: UInt32 = 0
    package private(set) var acquiredUsed: UInt32 = 0
    /// Requests that waited in vain for a connection, or found the queue full.
    package private(set) var gaveUp: UInt32 = 0
    /// Requests that ended without a connection for any cause.
    package private(set) var acquireFailures: UInt32 = 0
    /// Requests that had a connection and ended.
    package private(set) var leases: UInt32 = 0
    package private(set) var serverErrors: UInt32 = 0
    package private(set) var timeouts: UInt32 = 0
    package private(set) var lost: UInt32 = 0
    package private(set) var invalid: UInt32 = 0
    package private(set) var retried: UInt32 = 0
    package private(set) var responses: UInt32 = 0
    package private(set) var opened: UInt32 = 0
    private var connectFailures = InlineArray<7, UInt16>(repeating: 0)
    /// Closed connections, by what a person does about it.
    package private(set) var closedByExpiry: UInt32 = 0
    package private(set) var closedForRoom: UInt32 = 0
    package private(set) var closedByPeer: UInt32 = 0
    package private(set) var closedByResponse: UInt32 = 0
    package private(set) var closedByCancellation: UInt32 = 0
    /// The time for which requests held a connection, in microseconds.
    package private(set) var leaseMicroseconds: UInt64 = 0

    init() {}

    init(_ row: OriginReading) { add(row) }

    /// The sum over rows.
    package init(_ rows: [OriginReading]) { for row in rows { add(row) } }

    private mutating func add(_ row: OriginReading) {
        acquiredNew &+= UInt32(truncatingIfNeeded: row.acquires[.new])
        acquiredUsed &+= UInt32(truncatingIfNeeded: row.acquires[.reused] &+ row.acquires[.multiplexed])
        gaveUp &+= UInt32(truncatingIfNeeded: row.acquireFailures[.timeout] &+ row.acquireFailures[.rejected])
        acquireFailures &+= UInt32(truncatingIfNeeded: row.acquireFailures.total)
        leases &+= UInt32(truncatingIfNeeded: row.leases.total)
        serverErrors &+= UInt32(truncatingIfNeeded: row.leases[.serverError])
        timeouts &+= UInt32(truncatingIfNeeded: row.leases[.timeout])
        lost &+= UInt32(truncatingIfNeeded: row.leases[.connectionLost])
        invalid &+= UInt32(truncatingIfNeeded: row.leases[.invalidResponse])
        retried &+= UInt32(truncatingIfNeeded: row.leases[.retried])
        responses &+= UInt32(truncatingIfNeeded: row.responses)
        opened &+= UInt32(truncatingIfNeeded: row.connectionsOpened)
        for reason in ConnectFailure.allCases {
            connectFailures[reason.position] &+= UInt16(truncatingIfNeeded: row.connectFailures[reason])
        }
        closedByExpiry &+= UInt32(truncatingIfNeeded: row.connectionsClosed[.idleExpired])
        closedForRoom &+= UInt32(truncatingIfNeeded: row.connectionsClosed[.evicted])
        closedByPeer &+= UInt32(truncatingIfNeeded: row.connectionsClosed[.peerClosed])
        closedByResponse &+= UInt32(truncatingIfNeeded: row.connectionsClosed[.responseClose])
        closedByCancellation &+= UInt32(truncatingIfNeeded: row.connectionsClosed[.requestCancelled])
        leaseMicroseconds &+= UInt64(truncatingIfNeeded: row.times.leased / 1000)
    }

    /// What was counted since `earlier`.
    func since(_ earlier: RecentCounts) -> RecentCounts {
        var counts = self
        counts.acquiredNew &-= earlier.acquiredNew
        counts.acquiredUsed &-= earlier.acquiredUsed
        counts.gaveUp &-= earlier.gaveUp
        counts.acquireFailures &-= earlier.acquireFailures
        counts.leases &-= earlier.leases
        counts.serverErrors &-= earlier.serverErrors
        counts.timeouts &-= earlier.timeouts
        counts.lost &-= earlier.lost
        counts.invalid &-= earlier.invalid
        counts.retried &-= earlier.retried
        counts.responses &-= earlier.responses
        counts.opened &-= earlier.opened
        for index in connectFailures.indices { counts.connectFailures[index] &-= earlier.connectFailures[index] }
        counts.closedByExpiry &-= earlier.closedByExpiry
        counts.closedForRoom &-= earlier.closedForRoom
        counts.closedByPeer &-= earlier.closedByPeer
        counts.closedByResponse &-= earlier.closedByResponse
        counts.closedByCancellation &-= earlier.closedByCancellation
        counts.leaseMicroseconds &-= earlier.leaseMicroseconds
        return counts
    }

    /// Acquisitions that got a connection.
    package var acquired: UInt32 { acquiredNew &+ acquiredUsed }

    /// Requests that ended.
    package var finished: UInt32 { leases &- retried &+ acquireFailures }

    /// Requests that the peer or the pool failed.
    package var failed: UInt32 { leaseFailures &+ acquireFailures }

    /// Requests that had a connection and failed.
    package var leaseFailures: UInt32 { serverErrors &+ timeouts &+ lost &+ invalid }

    /// Connections that failed to open for this reason, at most 65,535 in the time between two marks.
    package subscript(reason: ConnectFailure) -> Int { Int(connectFailures[reason.position]) }

    /// Connections that failed to open because of the peer.
    package var connectFailuresOfPeer: Int {
        ConnectFailure.allCases.reduce(0) { $1.isOfPeer ? $0 + self[$1] : $0 }
    }
}

extension ConnectFailure {
    /// Whether the peer, or the way to it, is the cause.
    var isOfPeer: Bool {
        switch self {
        case .dns, .refused, .timeout, .tls, .other: true
        case .cancelled, .noDescriptor: false
        }
    }
}
