package import HTTPPool

/// A state of a pool or of one of its origins that a person should know of.
package enum PoolCondition: String, Sendable, Hashable, CaseIterable {
    /// The pool's thread does not come back from a turn.
    case stalled
    /// The process has run out of file descriptors.
    case outOfDescriptors = "out_of_descriptors"
    /// An origin has all the connections that it may have, and requests to it wait.
    case saturatedPerOrigin = "saturated_per_origin"
    /// All connections are taken, and requests wait.
    case saturated
    /// The peer allows no further request on its connections, and requests wait.
    case saturatedStreams = "saturated_streams"
    /// The caller holds connections on which no byte has moved for long.
    case leakSuspected = "leak_suspected"
    /// An origin has moved no byte for long on a large part of the connections.
    case upstreamSilent = "upstream_silent"
    /// No connection to an origin can be opened.
    case upstreamDown = "upstream_down"
    /// Many responses of an origin are errors.
    case upstreamFailing = "upstream_failing"
    /// An origin responds much later than usual.
    case upstreamSlow = "upstream_slow"
    /// Connections to an origin are not reused.
    case noReuse = "no_reuse"
    /// Connections are closed to make room for others.
    case evictionChurn = "eviction_churn"
    /// The last reload of the settings failed.
    case reloadFailed = "reload_failed"
    /// The demand is close to a limit.
    case nearLimit = "near_limit"
    /// The pool is shutting down.
    case ending

    /// The condition that a limit which keeps a request waiting is.
    package init(_ limit: PoolLimit) {
        switch limit {
        case .connections: self = .saturated
        case .connectionsPerOrigin: self = .saturatedPerOrigin
        case .streams: self = .saturatedStreams
        }
    }

    /// How long it must be false to be over, in nanoseconds. Until then it counts as going on, so that nothing flaps.
    package var quiet: UInt64 {
        switch self {
        case .stalled, .reloadFailed: 0
        case .saturated, .saturatedPerOrigin, .saturatedStreams: 5_000_000_000
        default: 10_000_000_000
        }
    }

    /// How long it must have held to be reported; of a limit of the whole pool, pauses do not count, in nanoseconds. Its age counts from its beginning all the same.
    package var hold: UInt64 {
        switch self {
        case .stalled, .outOfDescriptors, .leakSuspected, .upstreamSilent, .reloadFailed, .ending: 0
        case .saturated, .saturatedPerOrigin, .saturatedStreams: 1_000_000_000
        case .upstreamDown, .upstreamSlow: 3_000_000_000
        case .upstreamFailing: 10_000_000_000
        case .noReuse, .evictionChurn: 60_000_000_000
        case .nearLimit: 0
        }
    }

    /// Whether what an origin does meanwhile says nothing about what is usual.
    var isTrouble: Bool {
        switch self {
        case .stalled, .outOfDescriptors, .saturatedPerOrigin, .saturated, .saturatedStreams, .leakSuspected,
            .upstreamSilent, .upstreamDown, .upstreamFailing, .upstreamSlow:
            true
        case .noReuse, .evictionChurn, .reloadFailed, .nearLimit, .ending: false
        }
    }
}

/// A time in which a condition held.
package struct ConditionEpisode: Sendable {
    /// The condition.
    package let condition: PoolCondition
    /// The label of the origin's row; `nil` for a condition of the whole pool.
    package let origin: String?
    /// When it began to hold.
    package let began: MonotonicTime
    /// When it last held.
    package internal(set) var lastHeld: MonotonicTime
    /// Whether it held for the time that makes it worth reporting.
    var isReported = false
    /// The counters when it began, of the origin or of the pool.
    package let countsAtBegin: RecentCounts
    /// The counters when it last held.
    package internal(set) var counts: RecentCounts

    /// How long it held, or has held until now, in nanoseconds.
    package var lasted: UInt64 { lastHeld - began }

    /// The events counted between the beginning of the episode and the last time that the condition held.
    package var counted: RecentCounts { counts.since(countsAtBegin) }
}
