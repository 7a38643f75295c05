import CurlPool
import HTTPPool
import HTTPTypes
import Synchronization
import TestSupport
import Testing

@testable import PoolMetrics

/// Somewhere in the service, a client is made for each request. It is in no registry: only its number is known.
@Suite("An incident: a client for every request", .serialized)
struct ClientPerRequestTests {
    /// The clock of the registry, which compares the number of clients with that of a minute ago. The test lets the minute pass.
    private final class Clock: Sendable {
        private let ahead = Mutex<UInt64>(0)
        var now: MonotonicTime { MonotonicTime.now() + ahead.withLock { $0 } }
        func pass(_ seconds: UInt64) { ahead.withLock { $0 += seconds * 1_000_000_000 } }
    }

    @Test("is named with its pace, the pool that is innocent, and what to look for, and no setting is to be changed")
    func incident() async throws {
        let clock = Clock()
        let registry = PoolRegistry(clock: { clock.now })
        try await Gateway.run(#""maxConnections": 20"#, registry: registry) { gateway in
            try await gateway.working {
                _ = try await gateway.page(showing: "healthy") { $0.headline.hasPrefix("HEALTHY: ") }
                for _ in 0..<90 { try await sendOnce(gateway) }
                clock.pass(60)
                let named = try await gateway.page(showing: "the clients") { page in
                    page.headline.hasPrefix("CLIENT PER REQUEST: ")
                }
                let lines = named.lines.dropFirst().prefix(4).joined(separator: " ")
                #expect(lines.contains("Made since the start: ") && lines.contains(", alive now: "), "\(named.text)")
                #expect(named.row("cause")?.hasPrefix("code that makes a client for a request: ") == true)
                #expect(named.row("not by")?.hasPrefix("pool shared: ") == true, "\(named.text)")
                #expect(named.row("do first")?.hasPrefix("Make one client at the start and hand it to") == true)
                #expect(named.row("or set") == "nothing: no setting of the pool helps")
                try IncidentArticle.shows(named, as: "clients, they are named")
            }
        }
    }

    /// What a request handler must not do.
    private func sendOnce(_ gateway: Gateway) async throws {
        let client = try CurlClient(PoolConfiguration())
        let request = HTTPRequest(method: .get, scheme: "http", authority: gateway.nginx.authority, path: "/small")
        let response = try await client.execute(request)
        #expect(String(decoding: try await response.body.collect(), as: UTF8.self) == "small")
        await client.shutdown()
    }
}
