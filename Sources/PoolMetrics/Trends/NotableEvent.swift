package import HTTPPool

/// Something that happened in a pool and that a person may look for afterwards.
package struct NotableEvent: Sendable {
    /// What happened. Durations are in nanoseconds.
    package enum Kind: Sendable, Hashable {
        case connectFailed(ConnectFailure)
        case connectionClosed(CloseReason)
        case saturationBegan(PoolLimit, value: Int?)
        case saturationEnded(PoolLimit, lasted: UInt64, waited: UInt64)
        case conditionBegan(PoolCondition)
        case conditionEnded(PoolCondition, lasted: UInt64)
        case queueFull
        case overdueLease(OverdueLease)
        case reloaded
        case reloadFailed
        case limitsChanged
        case shutdown

        /// Whether it is counted together with its like although others of its kind came in between.
        var isRepetitive: Bool {
            switch self {
            case .connectFailed, .connectionClosed, .queueFull: true
            default: false
            }
        }

        /// The kinds among which the places in the log are divided.
        var group: Int {
            switch self {
            case .connectFailed: 0
            case .connectionClosed: 1
            case .saturationBegan, .saturationEnded: 2
            case .conditionBegan, .conditionEnded: 3
            case .queueFull: 4
            case .overdueLease: 5
            case .reloaded, .reloadFailed, .limitsChanged: 6
            case .shutdown: 7
            }
        }
    }

    /// A lease on which no byte has moved for too long.
    package struct OverdueLease: Sendable, Hashable {
        package let number: RequestNumber
        package let connection: ConnectionNumber?
        package let site: String
        package let phase: RequestPhase
        /// The time since it got its connection,
        package let age: UInt64
        /// and since a byte of it last moved.
        package let still: UInt64

        package init(
            number: RequestNumber,
            connection: ConnectionNumber?,
            site: String,
            phase: RequestPhase,
            age: UInt64,
            still: UInt64
        ) {
            self.number = number
            self.connection = connection
            self.site = site
            self.phase = phase
            self.age = age
            self.still = still
        }
    }

    /// Numbers the events of a pool in order, from 1.
    package let number: UInt64
    /// What happened.
    package let kind: Kind
    /// The label of the origin's row; `nil` if it concerns the whole pool.
    package let origin: String?
    /// When it happened, or for the first time if it happened repeatedly.
    package let first: MonotonicTime
    /// When it happened last.
    package internal(set) var last: MonotonicTime
    /// How often it happened.
    package internal(set) var count: UInt64 = 1
    /// The error's words, of the last time, if it was an error.
    package internal(set) var words: String?

    package init(number: UInt64, kind: Kind, origin: String?, at time: MonotonicTime, words: String? = nil) {
        self.number = number
        self.kind = kind
        self.origin = origin
        self.first = time
        self.last = time
        self.words = words
    }
}
