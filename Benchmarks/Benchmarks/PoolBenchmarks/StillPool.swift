internal import HTTPPool
internal import HTTPTypes
internal import PoolMetrics
private import Synchronization

/// A pool that does nothing but hand out its observer, so that the meter can be fed by hand.
final class StillPool: PooledHTTPClient {
    let configuration = PoolConfiguration()
    let backend = PoolBackend(library: "none", tls: "none")
    private let observer = Mutex<(any PoolObserver)?>(nil)

    /// A meter, and the client that renders what it was told.
    static func observed(as name: String) throws -> (any PoolObserver, InstrumentedClient) {
        let pool = StillPool()
        let client = try InstrumentedClient(pool, name: name, registry: PoolRegistry())
        guard let observer = pool.observer.withLock({ $0 }) else { throw StandsStill() }
        return (observer, client)
    }

    func attach(_ observer: any PoolObserver) throws { self.observer.withLock { $0 = observer } }

    func execute(
        _ request: HTTPRequest,
        body: RequestBody,
        options: RequestOptions
    ) async throws -> PooledResponse { throw StandsStill() }

    func pendingSubmissions() -> [PendingSubmission] { [] }

    func shutdown(_ policy: ShutdownPolicy) async {}
}

/// It was asked to do something.
struct StandsStill: Error {}

extension PoolTurn {
    /// A turn that introduces so many origins.
    static func introducing(origins: Int32) -> PoolTurn {
        var turn = PoolTurn(now: MonotonicTime(nanoseconds: 1))
        turn.newOrigins = (0..<origins).map { index in
            let origin = Origin(scheme: "https", host: "upstream-\(index).example", port: 443)
            return (OriginID(index: index), origin)
        }
        return turn
    }

    /// A turn in which so many requests queued, acquired and ended: three events for each.
    static func ofRequests(_ requests: UInt64) -> PoolTurn {
        var turn = PoolTurn(now: MonotonicTime(nanoseconds: 2))
        let origin = OriginID(index: 0)
        let site = CallSite("benchmark")
        for request in 0..<requests {
            let nanoseconds = request * 40_000
            turn.events += [
                .queued(origin, behind: .connections),
                .acquired(origin, .reused, waited: nanoseconds, queued: nanoseconds),
                .leaseEnded(origin, site, held: nanoseconds),
            ]
        }
        turn.origins = [(origin, OriginLevels())]
        turn.sites = [(site, RequestLevels())]
        return turn
    }
}
