import CurlPool
import Glibc
import HTTPPool
import HTTPTypes
import Logging
import LoopbackUpstream
import PoolEndpoint
import PoolMetrics
import TestSupport
import Testing

/// A small, measured pool with everything that can happen to one on a working day, and an endpoint that shows it.
struct Workday: Sendable {
    let client: InstrumentedClient
    let upstream: LoopbackUpstream
    /// Host and port of the endpoint.
    let endpoint: String
    /// An origin that refuses every connection.
    private let refusing: RefusingPort

    private static let catalog = CallSite("workday catalog")
    private static let tokens = CallSite("workday tokens")
    private static let peers = CallSite("workday peers")

    /// Sets it up, and takes it down after `body`.
    static func with(_ body: (Workday) async throws -> Void) async throws {
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = 2
        // Nothing may change at rest.
        configuration.limits.keepaliveExpiry = .seconds(3600)
        let registry = PoolRegistry()
        let client = try InstrumentedClient(CurlClient(configuration), name: "workday", registry: registry)
        let upstream = LoopbackUpstream()
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let place = EndpointConfiguration(host: "127.0.0.1", port: 0)
        let endpoint = MetricsEndpoint(place, registry: registry, logger: logger)
        let result: Result<Void, any Error>
        do {
            try await upstream.start()
            let day = Workday(
                client: client,
                upstream: upstream,
                endpoint: "\(try await endpoint.start())",
                refusing: try RefusingPort()
            )
            result = .success(try await body(day))
        } catch {
            result = .failure(error)
        }
        await client.shutdown(.immediate)
        await endpoint.stop()
        await upstream.stop()
        try result.get()
    }

    /// Reused connections, waits for a connection, and requests that fail in each phase. The pool is at rest after it.
    func work() async throws {
        for _ in 0..<20 { _ = try await send("/fast", at: Self.catalog) }
        for _ in 0..<5 { _ = try await send("/echo", at: Self.tokens, method: .post, body: "grant_type=none") }
        _ = try await send("/close", at: Self.peers)
        _ = try await send("/error?status=503", at: Self.peers)
        await fails(.connectionLost) { try await send("/drop", at: Self.peers, method: .post) }
        await fails(.connectFailed) { try await send("/", at: Self.peers, to: refusing.authority) }
        var impatient = RequestTimeouts()
        impatient.read = .milliseconds(100)
        await fails(.readTimeout) { try await send("/hang", at: Self.peers, timeouts: impatient) }

        // Both connections are taken until the two are cancelled; one waits too long, and then four wait for them.
        let holders = (0..<2).map { _ in Task { try await send("/hang", at: Self.catalog) } }
        try await eventually("both connections are taken") { client.reading().levels.requests.inFlight == 2 }
        impatient.acquire = .milliseconds(100)
        await fails(.acquireTimeout) { try await send("/fast", at: Self.catalog, timeouts: impatient) }
        let waiters = (0..<4).map { _ in Task { try await send("/fast", at: Self.tokens) } }
        try await eventually("four wait") { client.reading().levels.requests.queued == 4 }
        for holder in holders { holder.cancel() }
        for holder in holders { await #expect(throws: CancellationError.self) { try await holder.value } }
        for waiter in waiters { _ = try await waiter.value }
        try await eventually("the pool is at rest") { client.reading().levels.requests.total == 0 }
    }

    private func send(
        _ path: String,
        at site: CallSite,
        to authority: String? = nil,
        method: HTTPRequest.Method = .get,
        body: HTTPRequestBody = .none,
        timeouts: RequestTimeouts = RequestTimeouts()
    ) async throws -> PooledResponse {
        let authority = authority ?? upstream.authority
        let request = HTTPRequest(method: method, scheme: "http", authority: authority, path: path)
        var options = RequestOptions(site: site)
        options.timeouts = timeouts
        return try await client.execute(request, body: body, options: options)
    }
}

/// A request that is to fail with a code; anything else is an issue of the test.
private func fails(
    _ code: PoolError.Code,
    at location: SourceLocation = #_sourceLocation,
    _ request: () async throws -> PooledResponse
) async {
    let error = await #expect(throws: PoolError.self, sourceLocation: location) { _ = try await request() }
    #expect(error?.code == code, sourceLocation: location)
}
