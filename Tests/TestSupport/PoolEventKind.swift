package import HTTPPool

/// The kinds of events, for counting.
package enum PoolEventKind: Int, Sendable, CaseIterable {
    case acquired, acquireFailed, queued, opened, connectFailed, closed, leaseEnded, retried, connecting, responded

    package init(_ event: PoolEvent) {
        switch event.kind {
        case .acquired: self = .acquired
        case .acquireFailed: self = .acquireFailed
        case .queued: self = .queued
        case .connectionOpened: self = .opened
        case .connectFailed: self = .connectFailed
        case .connectionClosed: self = .closed
        case .leaseEnded: self = .leaseEnded
        case .staleRetry: self = .retried
        case .connecting: self = .connecting
        case .responded: self = .responded
        }
    }
}
