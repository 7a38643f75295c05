import CurlPool
import HTTPPool
import HTTPTypes
import PoolMetrics
import Synchronization
import TestSupport
import Testing

/// What a scraper has ever seen of several pools: the series that there are, and those that were not 0.
///
/// A series is named by its family and its own labels, such as `acquires_total kind=new`: without pool, origin and site.
final class Vocabulary: Sendable {
    private struct State {
        var known: Set<String> = []
        var seen: Set<String> = []
        var kinds: Set<PoolEventKind> = []
        var phases: Set<RequestPhase> = []
    }
    private let state = Mutex(State())

    var known: Set<String> { state.withLock { $0.known } }
    var seen: Set<String> { state.withLock { $0.seen } }
    var kinds: Set<PoolEventKind> { state.withLock { $0.kinds } }
    var phases: Set<RequestPhase> { state.withLock { $0.phases } }

    func add(_ events: [PoolEvent]) {
        state.withLock { state in for event in events { state.kinds.insert(PoolEventKind(event)) } }
    }

    /// Scrapes a pool.
    ///
    /// - Returns: the series that are not 0 now.
    @discardableResult
    func look(at measured: MeasuredPool) throws -> Set<String> {
        let page = try ExpositionReader(Exposition.text([measured.reading()], process: nil))
        let phases = measured.requests().compactMap(\.phase)
        var (known, seen): (Set<String>, Set<String>) = ([], [])
        for sample in page.samples where sample.labels["pool"] != nil && !sample.name.hasSuffix("_bucket") {
            let labels = sample.labels.filter { !["pool", "origin", "site"].contains($0.key) }
            let words = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            let series = ([String(sample.name.dropFirst("http_client_pool_".count))] + words).joined(separator: " ")
            known.insert(series)
            if sample.value != 0 { seen.insert(series) }
        }
        state.withLock { [seen] state in
            state.known.formUnion(known)
            state.seen.formUnion(seen)
            state.phases.formUnion(phases)
        }
        return seen
    }

    /// Passes each turn on, and keeps the kinds of its events.
    private final class Tee: PoolObserver {
        let vocabulary: Vocabulary
        let next: any PoolObserver
        init(_ vocabulary: Vocabulary, _ next: any PoolObserver) { (self.vocabulary, self.next) = (vocabulary, next) }
        func poolDidTurn(_ turn: borrowing PoolTurn) {
            vocabulary.add(turn.events)
            next.poolDidTurn(turn)
        }
    }

    /// A pool whose events are kept on their way to its only observer.
    final class Watched: ObservablePool {
        private let pool: any ObservablePool
        private let vocabulary: Vocabulary
        init(_ pool: any ObservablePool, _ vocabulary: Vocabulary) { (self.pool, self.vocabulary) = (pool, vocabulary) }

        var configuration: PoolConfiguration { pool.configuration }
        var backend: PoolBackend { pool.backend }
        var facts: PoolFacts { pool.facts }
        var activity: ThreadActivity { pool.activity }
        var executor: (any TaskExecutor)? { pool.executor }
        func attach(_ observer: any PoolObserver) throws { try pool.attach(Tee(vocabulary, observer)) }
        func pendingSubmissions() -> [PendingSubmission] { pool.pendingSubmissions() }
        func reconfigure(_ configuration: PoolConfiguration) async throws { try await pool.reconfigure(configuration) }
        func shutdown(_ policy: ShutdownPolicy) async { await pool.shutdown(policy) }
        func state(of request: RequestKey, since: MonotonicTime) -> LeaseState? {
            pool.state(of: request, since: since)
        }
    }
}

/// One pool of a provocation, and what is seen of it.
struct Provoked: Sendable {
    let client: InstrumentedClient
    let vocabulary: Vocabulary

    /// Waits until each of these series was not 0 in a scrape of this pool.
    func shows(_ series: String..., sourceLocation: SourceLocation = #_sourceLocation) async throws {
        var missing = Set(series)
        try await eventually("\(missing)", within: .seconds(20), sourceLocation: sourceLocation) {
            missing.subtract(try vocabulary.look(at: client.measured))
            return missing.isEmpty
        }
    }

    /// Waits until the only request is in this phase.
    func reaches(_ phase: RequestPhase, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await eventually("\(phase)", within: .seconds(20), sourceLocation: sourceLocation) {
            client.measured.requests().map(\.phase) == [phase]
        }
        try vocabulary.look(at: client.measured)
    }

    /// Sends a request, reads the response, and expects an error.
    func fails(_ request: HTTPRequest, body: HTTPRequestBody = .none, options: RequestOptions = RequestOptions())
        async throws
    {
        await #expect(throws: (any Error).self) { _ = try await client.fetch(request, body: body, options: options) }
    }
}

extension Vocabulary {
    /// Runs `body` with a pool of CurlPool, and looks at it again after its end.
    func provoke(
        _ change: (inout PoolConfiguration) -> Void = { _ in },
        resolver: Resolver = .process,
        _ body: (Provoked) async throws -> Void
    ) async throws {
        var configuration = PoolConfiguration()
        configuration.limits.keepaliveExpiry = nil
        change(&configuration)
        let curl = try CurlClient(configuration, resolver: resolver)
        let client = try InstrumentedClient(
            curl,
            pool: Watched(curl, self),
            name: "vocabulary",
            registry: PoolRegistry()
        )
        let result: Result<Void, any Error>
        do {
            try await body(Provoked(client: client, vocabulary: self))
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await client.shutdown(.immediate)
        try look(at: client.measured)
        try result.get()
    }
}
