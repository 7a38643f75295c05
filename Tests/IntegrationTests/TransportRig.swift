import CurlPool
import HTTPPool
import HTTPTypes
import TestSupport
import Testing

/// A pool whose every turn is audited, for one test. At its end it is shut down, and nothing of it may be left.
func withPool(
    _ change: (inout PoolConfiguration) -> Void = { _ in },
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (CurlClient, Journal) async throws -> Void
) async throws {
    var configuration = PoolConfiguration()
    change(&configuration)
    let pool = try CurlClient(configuration)
    let audit = TurnAudit(maxConnections: configuration.limits.maxConnections)
    try pool.attach(audit)
    let result: Result<Void, any Error>
    do {
        try await body(pool, audit.journal)
        result = .success(())
    } catch {
        result = .failure(error)
    }
    await pool.shutdown(.immediate)
    #expect(audit.broken.isEmpty, sourceLocation: sourceLocation)
    #expect(audit.journal.levels == OriginLevels(), "after the shutdown", sourceLocation: sourceLocation)
    #expect(audit.journal.opened == audit.journal.closeReasons.count, sourceLocation: sourceLocation)
    try result.get()
}

extension HTTPRequest {
    static func get(_ scheme: String, _ authority: String, _ path: String = "/small") -> HTTPRequest {
        HTTPRequest(method: .get, scheme: scheme, authority: authority, path: path)
    }
}

extension CurlClient {
    /// Sends a request, and expects an answer of status 200 with this text.
    func expect(
        _ text: String,
        to request: HTTPRequest,
        body: HTTPRequestBody = .none,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let found = try await self.text(request, body: body)
        #expect(found == text, sourceLocation: sourceLocation)
    }

    /// The answer's text. Its status is to be 200.
    func text(_ request: HTTPRequest, body: HTTPRequestBody = .none) async throws -> String {
        let response = try await execute(request, body: body)
        let text = String(decoding: try await response.body.collect(), as: UTF8.self)
        #expect(response.status == .ok)
        return text
    }
}

/// Expects an error with this code whose words hold `words`.
func expectError(
    _ code: PoolError.Code,
    saying words: String,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
) async throws {
    let error = try await poolError(body)
    #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
    #expect(error.reason.contains(words), "\(error)", sourceLocation: sourceLocation)
}
