import CurlPool
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// A measured pool for one case. It is shut down at the end, and its numbers must add up then, whatever the case was.
///
/// Idle connections do not expire, unless the case says so.
func withMeasuredPool(
    _ change: (inout PoolConfiguration) -> Void = { _ in },
    resolver: Resolver = .process,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (InstrumentedClient) async throws -> Void
) async throws {
    var configuration = PoolConfiguration()
    configuration.limits.keepaliveExpiry = nil
    change(&configuration)
    let client = try InstrumentedClient(
        CurlClient(configuration, resolver: resolver),
        name: "field",
        registry: PoolRegistry()
    )
    let result: Result<Void, any Error>
    do {
        try await body(client)
        result = .success(())
    } catch {
        result = .failure(error)
    }
    // A scraper sees the same pool, and its rules hold there too, before the end and after it.
    let scrapes = CheckedScrapes()
    let text = { Exposition.text([client.reading()], process: nil) }
    _ = try await scrapes.scrape(sourceLocation: sourceLocation, text)
    await client.shutdown(.immediate)
    _ = try await scrapes.scrape(sourceLocation: sourceLocation, text)
    expectConsistentEnd(of: client.reading(), sourceLocation: sourceLocation)
    try result.get()
}

/// What must hold of every pool that has ended.
private func expectConsistentEnd(of reading: PoolReading, sourceLocation: SourceLocation) {
    #expect(reading.levels == OriginLevels(), "after the shutdown", sourceLocation: sourceLocation)
    #expect(reading.resolving == 0, "after the shutdown", sourceLocation: sourceLocation)
    for origin in reading.origins {
        #expect(
            origin.connectionsOpened == origin.connectionsClosed.total,
            "\(origin.label): opened and closed",
            sourceLocation: sourceLocation
        )
        #expect(
            origin.acquires.total == origin.leases.total,
            "\(origin.label): acquires and leases",
            sourceLocation: sourceLocation
        )
    }
    let acquired = reading.origins.reduce(0) { $0 + $1.acquires.total }
    #expect(reading.durations.acquired.count == acquired, sourceLocation: sourceLocation)
}

extension InstrumentedClient {
    /// The numbers of the one origin that the case talks to.
    var onlyOrigin: OriginReading {
        get throws {
            let origins = reading().origins.filter { $0.label != "other" }
            try #require(origins.count == 1)
            return origins[0]
        }
    }

    /// Waits until the levels of all origins together are these.
    func becomes(
        connecting: Int = 0,
        active: Int = 0,
        idle: Int = 0,
        within limit: Duration = .seconds(20),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        var wanted = ConnectionLevels()
        (wanted.connecting, wanted.active, wanted.idle) = (connecting, active, idle)
        try await eventually(
            "\(wanted); there are \(reading().levels)",
            within: limit,
            sourceLocation: sourceLocation
        ) { reading().levels.connections == wanted }
    }

    /// Sends a request and reads the response to its end.
    func fetch(
        _ request: HTTPRequest,
        body: HTTPRequestBody = .none,
        options: RequestOptions = RequestOptions()
    ) async throws -> (status: Int, text: String, fields: HTTPFields) {
        let response = try await execute(request, body: body, options: options)
        let bytes = try await response.body.collect()
        return (response.status.code, String(decoding: bytes, as: UTF8.self), response.head.headerFields)
    }
}

extension HTTPRequest {
    /// A request to a peer on loopback.
    static func to(
        _ authority: String,
        _ path: String = "/",
        method: HTTPRequest.Method = .get,
        scheme: String = "http",
        fields: HTTPFields = [:]
    ) -> HTTPRequest {
        HTTPRequest(method: method, scheme: scheme, authority: authority, path: path, headerFields: fields)
    }
}
