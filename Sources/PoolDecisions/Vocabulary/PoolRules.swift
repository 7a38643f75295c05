package import HTTPPool

/// The limits in the units of the state machine: nanoseconds, and the largest number for "no limit".
package struct PoolRules {
    var maxConnections: Int
    var maxConnectionsPerOrigin: Int
    var maxIdleConnections: Int
    var maxQueuedRequests: Int
    var keepaliveExpiry: UInt64
    var maxConnectionLifetime: UInt64
    var queueOrder: QueueOrder

    /// Whether a connection over TLS may turn out to carry several requests at once.
    var mayMultiplex: Bool

    package init(_ configuration: PoolConfiguration) {
        let limits = configuration.limits
        mayMultiplex = configuration.transport.http2 == .negotiated
        maxConnections = limits.maxConnections
        maxConnectionsPerOrigin = limits.maxConnectionsPerOrigin ?? .max
        maxIdleConnections = limits.maxIdleConnections
        maxQueuedRequests = limits.maxQueuedRequests ?? .max
        keepaliveExpiry = limits.keepaliveExpiry?.wholeNanoseconds ?? .max
        maxConnectionLifetime = limits.maxConnectionLifetime?.wholeNanoseconds ?? .max
        queueOrder = limits.queueOrder
    }
}

/// The timeouts in nanoseconds; the largest number for "none".
package struct PhaseTimeouts {
    var connect: UInt64
    var acquire: UInt64
    var read: UInt64
    var write: UInt64
    var total: UInt64

    package init(_ timeouts: PoolTimeouts) {
        connect = timeouts.connect?.wholeNanoseconds ?? .max
        acquire = timeouts.acquire?.wholeNanoseconds ?? .max
        read = timeouts.read?.wholeNanoseconds ?? .max
        write = timeouts.write?.wholeNanoseconds ?? .max
        total = timeouts.total?.wholeNanoseconds ?? .max
    }
}
