import HTTPPool
import HTTPTypes
import TestSupport
import Testing

@testable import CurlPool

/// A pool with a journal, for one test; it is shut down at its end.
func withPool(
    _ configuration: PoolConfiguration = PoolConfiguration(),
    _ body: (CurlClient, Journal) async throws -> Void
) async throws {
    let pool = try CurlClient(configuration)
    let journal = Journal()
    try pool.attach(journal)
    do {
        try await body(pool, journal)
    } catch {
        await pool.shutdown(.immediate)
        throw error
    }
    await pool.shutdown(.immediate)
}

extension PoolConfiguration {
    /// The defaults, changed.
    static func with(_ change: (inout PoolConfiguration) -> Void) -> PoolConfiguration {
        var configuration = PoolConfiguration()
        change(&configuration)
        return configuration
    }
}

func get(_ peer: ScriptedPeer, _ path: String = "/") -> HTTPRequest {
    HTTPRequest(method: .get, scheme: "http", authority: peer.authority, path: path)
}

func post(_ peer: ScriptedPeer, _ path: String = "/") -> HTTPRequest {
    HTTPRequest(method: .post, scheme: "http", authority: peer.authority, path: path)
}

extension PooledResponse {
    var text: String { get async throws { String(decoding: try await body.collect(), as: UTF8.self) } }
}

/// The code of the `PoolError` that `body` throws; `nil` if it throws none.
func code(of body: () async throws -> Void) async -> PoolError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? PoolError)?.code
    }
}

/// Sends a request and expects an answer with this status and, if it is given, this text.
func expectAnswer(
    _ text: String? = nil,
    status: HTTPResponse.Status = .ok,
    to request: HTTPRequest,
    body: HTTPRequestBody = .none,
    options: RequestOptions = RequestOptions(),
    from pool: CurlClient,
    sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let response = try await pool.execute(request, body: body, options: options)
    let found = try await response.text
    #expect(response.status == status, sourceLocation: sourceLocation)
    if let text { #expect(found == text, sourceLocation: sourceLocation) }
}
