import CurlPool
import FaultServer
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// A measured pool for one test; it is shut down at its end. Its idle connections do not expire unless the test says so.
func withClient(
    _ change: (inout PoolConfiguration) -> Void = { _ in },
    _ body: (InstrumentedClient) async throws -> Void
) async throws {
    var configuration = PoolConfiguration()
    configuration.limits.keepaliveExpiry = nil
    change(&configuration)
    let client = try InstrumentedClient(CurlClient(configuration), name: "conformance", registry: PoolRegistry())
    do {
        try await body(client)
    } catch {
        await client.shutdown(.immediate)
        throw error
    }
    await client.shutdown(.immediate)
    #expect(client.reading().levels == OriginLevels())
}

extension OriginLevels {
    /// Levels of HTTP/1.1: each connection that is not idle has one request.
    init(connecting: Int = 0, active: Int = 0, idle: Int = 0, queued: Int = 0) {
        self.init()
        connections.connecting = connecting
        connections.active = active
        connections.idle = idle
        requests.queued = queued
        requests.connecting = connecting
        requests.inFlight = active
    }
}

extension InstrumentedClient {
    /// Waits until the levels are these.
    func becomes(
        _ levels: OriginLevels,
        within limit: Duration = .seconds(20),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await eventually(
            "\(levels); there are \(reading().levels)",
            within: limit,
            sourceLocation: sourceLocation
        ) { reading().levels == levels }
    }

    /// The numbers of one server's origin.
    func numbers(of server: FaultServer) throws -> OriginReading {
        let numbers = reading().origins.first { $0.label == server.origin }
        return try #require(numbers)
    }
}

/// Waits until the kernel has so many established connections to a server, and none that the server has closed.
func expectSockets(
    _ count: Int,
    to server: FaultServer,
    sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    var (open, left) = (0, 0)
    try await eventually(
        "\(count) connections; the kernel has \(open), and \(left) that the server has closed",
        within: .seconds(20),
        sourceLocation: sourceLocation
    ) {
        let kernel = try KernelSockets()
        (open, left) = (kernel.count(.established, to: server.port), kernel.count(.closeWait, to: server.port))
        return (open, left) == (count, 0)
    }
}

/// Asks and expects the right answer.
func expectAnswer(
    to question: Question,
    from client: InstrumentedClient,
    options: RequestOptions = RequestOptions(),
    sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let answer = try await question.ask(client, options: options)
    #expect(question.isAnswered(by: answer), "\(question.fault): \(answer)", sourceLocation: sourceLocation)
}

extension RequestOptions {
    /// The client's own, but for this acquire timeout.
    static func acquiring(within timeout: Duration?) -> RequestOptions {
        var options = RequestOptions()
        options.timeouts.acquire = timeout.map(RequestTimeout.after) ?? .none
        return options
    }
}
