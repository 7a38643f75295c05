package import HTTPPool

/// Events without a request and a connection, in few words.
extension PoolEvent {
    package static func acquired(
        _ origin: OriginID,
        _ kind: AcquireKind,
        site: CallSite = .unattributed,
        waited: UInt64,
        queued: UInt64
    ) -> PoolEvent {
        PoolEvent(
            .acquired(kind, waited: waited, queued: queued),
            origin,
            at: MonotonicTime(nanoseconds: 0),
            site: site
        )
    }

    package static func acquireFailed(
        _ origin: OriginID,
        _ reason: AcquireFailure,
        site: CallSite = .unattributed,
        waited: UInt64,
        queued: UInt64 = 0
    ) -> PoolEvent {
        PoolEvent(
            .acquireFailed(reason, waited: waited, queued: queued),
            origin,
            at: MonotonicTime(nanoseconds: 0),
            site: site
        )
    }

    package static func queued(_ origin: OriginID, behind limit: PoolLimit) -> PoolEvent {
        PoolEvent(.queued(behind: limit, waited: 0), origin, at: MonotonicTime(nanoseconds: 0))
    }

    package static func responded(_ origin: OriginID, waited: UInt64) -> PoolEvent {
        PoolEvent(.responded(waited: waited), origin, at: MonotonicTime(nanoseconds: 0))
    }

    package static func connectionOpened(_ origin: OriginID, took: UInt64) -> PoolEvent {
        PoolEvent(.connectionOpened(took: took), origin, at: MonotonicTime(nanoseconds: 0))
    }

    package static func connectFailed(_ origin: OriginID, _ reason: ConnectFailure, took: UInt64) -> PoolEvent {
        PoolEvent(.connectFailed(reason, took: took), origin, at: MonotonicTime(nanoseconds: 0))
    }

    package static func connectionClosed(
        _ origin: OriginID,
        _ reason: CloseReason,
        lifetime: UInt64,
        requests: UInt32
    ) -> PoolEvent {
        PoolEvent(
            .connectionClosed(reason, lifetime: lifetime, requests: requests),
            origin,
            at: MonotonicTime(nanoseconds: 0)
        )
    }

    package static func leaseEnded(
        _ origin: OriginID,
        _ outcome: LeaseOutcome = .success,
        site: CallSite = .unattributed,
        held: UInt64
    ) -> PoolEvent {
        PoolEvent(.leaseEnded(outcome, held: held), origin, at: MonotonicTime(nanoseconds: 0), site: site)
    }

    package static func staleRetry(_ origin: OriginID) -> PoolEvent {
        PoolEvent(.staleRetry, origin, at: MonotonicTime(nanoseconds: 0))
    }
}
