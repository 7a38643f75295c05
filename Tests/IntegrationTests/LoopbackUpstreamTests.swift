import CurlPool
import HTTPPool
import HTTPTypes
import TestSupport
import Testing

@testable import LoopbackUpstream

private let xToken = HTTPField.Name("x-token")
private let xMethod = HTTPField.Name("x-method")

@Suite("The loopback upstream")
struct LoopbackUpstreamTests {
    @Test("Responses carry the token of their request")
    func answersCarryTheTokenOfTheirRequest() async throws {
        try await withUpstream { upstream, pool in
            let response = try await pool.execute(request(upstream, "/fast", token: "t-1"))
            #expect(response.status == .ok)
            #expect(response.head.headerFields[try #require(xToken)] == "t-1")
            let body = String(decoding: try await response.body.collect(), as: UTF8.self)
            #expect(body.contains(#""token":"t-1""#))
        }
    }

    @Test("A token that is not plain is refused")
    func aTokenThatIsNotPlainIsRefused() async throws {
        try await withUpstream { upstream, pool in
            let response = try await pool.execute(request(upstream, "/fast", token: #"a"b"#))
            #expect(response.status == .badRequest)
            #expect(response.head.headerFields[try #require(xToken)] == nil)
        }
    }

    @Test("/echo sends body and method back")
    func echoSendsBodyAndMethodBack() async throws {
        try await withUpstream { upstream, pool in
            let response = try await pool.execute(request(upstream, "/echo", method: .put), body: "hello")
            #expect(try await response.body.collect() == Array("hello".utf8))
            #expect(response.head.headerFields[try #require(xMethod)] == "PUT")
        }
    }

    @Test(
        "Each path responds in its own way",
        arguments: [
            ("/error?status=503", 503, nil), ("/large?bytes=70000", 200, 70_000), ("/large?bytes=0", 200, 0),
            ("/nowhere", 404, nil), ("/close", 200, nil), ("/slow?ms=1", 200, nil),
        ] as [(String, Int, Int?)]
    )
    func eachPathAnswersInItsWay(path: String, status: Int, bytes: Int?) async throws {
        try await withUpstream { upstream, pool in
            let response = try await pool.execute(request(upstream, path))
            #expect(response.status.code == status)
            let body = try await response.body.collect()
            if let bytes { #expect(body.count == bytes) }
        }
    }

    @Test(
        "/reset and /drop break the connection, and the next request works",
        arguments: ["/reset", "/drop"]
    )
    func rudePathsBreakTheConnection(path: String) async throws {
        try await withUpstream { upstream, pool in
            await #expect(throws: PoolError.self) {
                _ = try await pool.execute(request(upstream, path)).body.collect()
            }
            let next = try await pool.execute(request(upstream, "/fast"))
            #expect(next.status == .ok)
        }
    }

    @Test("/hang does not respond before the client gives up")
    func hangAnswersNotBeforeTheClientGivesUp() async throws {
        try await withUpstream { upstream, pool in
            var options = RequestOptions()
            options.timeouts.read = .milliseconds(100)
            let error = try await poolError {
                _ = try await pool.execute(request(upstream, "/hang"), body: .none, options: options)
            }
            #expect(error.code == .readTimeout)
            #expect(upstream.counts.requests == [.hang: 1])
            try await eventually("every connection is closed") { upstream.counts.connectionsOpen == 0 }
        }
    }

    @Test("It counts connections, and requests by path")
    func itCountsWhatItSees() async throws {
        try await withUpstream { upstream, pool in
            for path in ["/fast", "/fast", "/echo", "/nowhere"] {
                _ = try await pool.execute(request(upstream, path))
            }
            #expect(upstream.counts.connectionsAccepted == 1)
            #expect(upstream.counts.connectionsOpen == 1)
            #expect(upstream.counts.requests == [.fast: 2, .echo: 1, .other: 1])
            #expect(upstream.counts.requestsInAll == 4)
            await pool.shutdown()
            try await eventually("every connection is closed") { upstream.counts.connectionsOpen == 0 }
        }
    }

    @Test("A restart keeps the port and drops the connections")
    func aRestartKeepsThePortAndDropsTheConnections() async throws {
        try await withUpstream { upstream, pool in
            _ = try await pool.execute(request(upstream, "/fast"))
            let port = upstream.port
            try await upstream.restart()
            #expect(upstream.port == port)
            #expect(upstream.counts.connectionsOpen == 0)
            let response = try await pool.execute(request(upstream, "/fast"))
            #expect(response.status == .ok)
            #expect(upstream.counts.connectionsAccepted == 2)
        }
    }

    @Test("A stopped upstream cannot be reached, and can be stopped again")
    func whatIsStoppedCannotBeReachedAndCanBeStoppedAgain() async throws {
        try await withUpstream { upstream, pool in
            let response = try await pool.execute(request(upstream, "/fast"))
            #expect(response.status == .ok)
            await upstream.stop()
            let error = await #expect(throws: PoolError.self) { try await pool.execute(request(upstream, "/fast")) }
            #expect(error?.code == .connectFailed)
            await upstream.stop()
        }
    }

    @Test("It goes on working after connections that broke")
    func itSurvivesEverythingThatIsRude() async throws {
        try await withUpstream { upstream, pool in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for path in ["/reset", "/drop", "/close", "/mix", "/error", "/large"] {
                    for _ in 0..<20 {
                        group.addTask {
                            do {
                                _ = try await pool.execute(request(upstream, path)).body.collect()
                                #expect(!["/reset", "/drop"].contains(path))
                            } catch let error as PoolError where error.code == .connectionLost {
                                #expect(["/reset", "/drop", "/mix"].contains(path))
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let response = try await pool.execute(request(upstream, "/fast"))
            #expect(response.status == .ok)
        }
    }
}

private func request(
    _ upstream: LoopbackUpstream,
    _ path: String,
    method: HTTPRequest.Method = .get,
    token: String? = nil
) -> HTTPRequest {
    var request = HTTPRequest(method: method, scheme: "http", authority: upstream.authority, path: path)
    if let xToken { request.headerFields[xToken] = token }
    return request
}

private func withUpstream(_ body: (LoopbackUpstream, CurlClient) async throws -> Void) async throws {
    let upstream = LoopbackUpstream()
    let pool = try CurlClient()
    try await upstream.start()
    do {
        try await body(upstream, pool)
    } catch {
        await pool.shutdown(.immediate)
        await upstream.stop()
        throw error
    }
    await pool.shutdown(.immediate)
    await upstream.stop()
}
