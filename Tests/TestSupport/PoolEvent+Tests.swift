package import HTTPPool

/// Events without a request and a connection, in few words.
extension PoolEvent {
    package static func acquired(
        _ origin: OriginID,
        _ kind: AcquireKind,
        waited: UInt64,
        queued: UInt64
    ) -> PoolEvent { PoolEvent(.acquired(kind, waited: waited, queued: queued), origin) }

    package static func acquireFailed(_ origin: OriginID, _ reason: AcquireFailure, waited: UInt64) -> PoolEvent {
        PoolEvent(.acquireFailed(reason, waited: waited), origin)
    }

    package static func queued(_ origin: OriginID, behind limit: PoolLimit) -> PoolEvent {
        PoolEvent(.queued(behind: limit), origin)
    }

    package static func connectionOpened(_ origin: OriginID, took: UInt64) -> PoolEvent {
        PoolEvent(.connectionOpened(took: took), origin)
    }

    package static func connectFailed(_ origin: OriginID, _ reason: ConnectFailure, took: UInt64) -> PoolEvent {
        PoolEvent(.connectFailed(reason, took: took), origin)
    }

    package static func connectionClosed(
        _ origin: OriginID,
        _ reason: CloseReason,
        lifetime: UInt64,
        requests: UInt32
    ) -> PoolEvent { PoolEvent(.connectionClosed(reason, lifetime: lifetime, requests: requests), origin) }

    package static func leaseEnded(_ origin: OriginID, _ site: CallSite, held: UInt64) -> PoolEvent {
        PoolEvent(.leaseEnded(site, held: held), origin)
    }

    package static func staleRetry(_ origin: OriginID) -> PoolEvent { PoolEvent(.staleRetry, origin) }
}
