public import HTTPPool
public import PoolMetrics
private import Synchronization

/// A pool that does nothing but hand out its observer, so that the meter can be fed by hand.
public final class StillPool: ObservablePool {
    /// The defaults.
    public let configuration = PoolConfiguration()
    /// None.
    public let backend = PoolBackend(library: "none", tls: "none")
    private let observer = Mutex<(any PoolObserver)?>(nil)

    private init() {}

    /// A meter, and the client that renders what it was told.
    public static func observed(as name: String) throws -> (any PoolObserver, MeasuredPool) {
        let pool = StillPool()
        let client = try MeasuredPool(pool, name: name, registry: PoolRegistry())
        guard let observer = pool.observer.withLock({ $0 }) else { throw StandsStill() }
        return (observer, client)
    }

    /// Keeps the observer.
    public func attach(_ observer: any PoolObserver) throws { self.observer.withLock { $0 = observer } }

    /// None.
    public func pendingSubmissions() -> [PendingSubmission] { [] }

    /// Nothing is to be closed.
    public func shutdown(_ policy: ShutdownPolicy) async {}
}

/// It was asked to do something.
public struct StandsStill: Error {}

extension PoolTurn {
    /// A turn that introduces so many origins.
    public static func introducing(origins: Int32) -> PoolTurn {
        var turn = PoolTurn(now: MonotonicTime(nanoseconds: 1))
        turn.newOrigins = (0..<origins).map { index in
            let origin = Origin(scheme: "https", host: "upstream-\(index).example", port: 443)
            return (OriginID(index: index), origin)
        }
        return turn
    }

    /// A turn in which so many requests queued, acquired and ended: three events for each.
    public static func ofRequests(_ requests: UInt64) -> PoolTurn {
        var turn = PoolTurn(now: MonotonicTime(nanoseconds: 2))
        let origin = OriginID(index: 0)
        let site = CallSite("benchmark")
        for request in 0..<requests {
            let nanoseconds = request * 40_000
            turn.events += [
                PoolEvent(.queued(behind: .connections), origin),
                PoolEvent(.acquired(.reused, waited: nanoseconds, queued: nanoseconds), origin),
                PoolEvent(.leaseEnded(site, held: nanoseconds), origin),
            ]
        }
        turn.origins = [PoolTurn.ChangedOrigin(origin, OriginLevels())]
        turn.sites = [PoolTurn.ChangedSite(site, RequestLevels())]
        return turn
    }

    /// A turn in which each of so many origins met everything that can happen, so that no series stays at 0.
    public static func ofEverything(origins: Int32) -> PoolTurn {
        var turn = PoolTurn(now: MonotonicTime(nanoseconds: 2))
        let sites = (0..<8).map { CallSite("call site \($0)") }
        var levels = OriginLevels()
        levels.connections.connecting = 1
        levels.connections.active = 12
        levels.connections.idle = 3
        levels.requests.queued = 104
        levels.requests.connecting = 1
        levels.requests.inFlight = 12
        for index in 0..<origins {
            let origin = OriginID(index: index)
            // From 0.1 ms to some seconds, so that every bucket fills.
            let took = 100_000 << (UInt64(index) % 16) + UInt64(index)
            turn.events += AcquireKind.allCases.map { PoolEvent(.acquired($0, waited: took, queued: took / 2), origin) }
            turn.events += AcquireFailure.allCases.map { PoolEvent(.acquireFailed($0, waited: took), origin) }
            turn.events += PoolLimit.allCases.map { PoolEvent(.queued(behind: $0), origin) }
            turn.events += ConnectFailure.allCases.map { PoolEvent(.connectFailed($0, took: took), origin) }
            turn.events += CloseReason.allCases.map {
                PoolEvent(.connectionClosed($0, lifetime: took, requests: UInt32(index) * 20), origin)
            }
            turn.events += sites.map { PoolEvent(.leaseEnded($0, held: took), origin) }
            turn.events += [PoolEvent(.connectionOpened(took: took), origin), PoolEvent(.staleRetry, origin)]
            turn.origins.append((origin, levels))
        }
        turn.sites = sites.map { ($0, levels.requests) }
        return turn
    }
}
