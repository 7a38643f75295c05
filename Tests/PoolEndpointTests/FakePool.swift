import HTTPPool
import HTTPTypes
import Synchronization
import TestSupport

/// A pool that sends nothing: the test tells its turns.
final class FakePool: PooledHTTPClient {
    let configuration: PoolConfiguration
    let backend = PoolBackend(library: "libcurl/7.88.1", tls: "OpenSSL/3.0.17")
    /// How often it was read, for a scrape or a page.
    let readings = Atomic<Int>(0)
    private let observer = Mutex<(any PoolObserver)?>(nil)
    private let pending = Mutex<[PendingSubmission]>([])

    init(configuration: PoolConfiguration = PoolConfiguration()) { self.configuration = configuration }

    func attach(_ observer: any PoolObserver) throws { self.observer.withLock { $0 = observer } }

    func pendingSubmissions() -> [PendingSubmission] {
        readings.add(1, ordering: .relaxed)
        return pending.withLock { $0 }
    }

    /// As if a request had been submitted that no turn has taken yet.
    func submit(_ submission: PendingSubmission) { pending.withLock { $0.append(submission) } }

    func tell(_ turn: PoolTurn) { observer.withLock { $0 }?.poolDidTurn(turn) }

    func execute(_ request: HTTPRequest, body: RequestBody, options: RequestOptions) async throws -> PooledResponse {
        throw TestFailure("the fake pool sends nothing")
    }

    func shutdown(_ policy: ShutdownPolicy) async {}
}
