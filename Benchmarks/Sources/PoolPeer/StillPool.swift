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
    public static func observed(
        as name: String,
        in registry: PoolRegistry = PoolRegistry()
    ) throws -> (any PoolObserver, MeasuredPool) {
        let pool = StillPool()
        let client = try MeasuredPool(pool, name: name, registry: registry)
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
            return PoolTurn.NewOrigin(OriginID(index: index), origin)
        }
        return turn
    }

    /// A turn in which so many requests queued, acquired and ended: four events for each.
    public static func ofRequests(_ requests: UInt64) -> PoolTurn {
        var turn = PoolTurn(now: MonotonicTime(nanoseconds: 2))
        let origin = OriginID(index: 0)
        let site = CallSite("benchmark")
        for request in 0..<requests {
            let nanoseconds = request * 40_000
            turn.events += [
                PoolEvent.Kind.queued(behind: .connections, waited: 0),
                .acquired(.reused, waited: nanoseconds, queued: nanoseconds),
                .responded(waited: nanoseconds),
                .leaseEnded(.success, held: nanoseconds),
            ].map {
                let key = RequestKey(number: RequestNumber(request + 1), index: Int32(request % 256))
                return PoolEvent($0, origin, at: turn.now, site: site, request: key)
            }
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
            var kinds = AcquireKind.allCases.map { PoolEvent.Kind.acquired($0, waited: took, queued: took / 2) }
            kinds += AcquireFailure.allCases.map { .acquireFailed($0, waited: took, queued: took / 2) }
            kinds += PoolLimit.allCases.map { .queued(behind: $0, waited: 0) }
            kinds += ConnectFailure.allCases.map { .connectFailed($0, took: took) }
            kinds += CloseReason.allCases.map {
                .connectionClosed($0, lifetime: took, requests: UInt32(index) * 20)
            }
            kinds += LeaseOutcome.allCases.map { .leaseEnded($0, held: took) }
            kinds += [.responded(waited: took), .connectionOpened(took: took), .staleRetry]
            for (number, kind) in kinds.enumerated() {
                turn.events.append(PoolEvent(kind, origin, at: turn.now, site: sites[number % sites.count]))
            }
            turn.origins.append(PoolTurn.ChangedOrigin(origin, levels))
        }
        turn.sites = sites.map { PoolTurn.ChangedSite($0, levels.requests) }
        return turn
    }
}
