import Configuration
import HTTPPool
import PoolMetrics
import SharedPool
import TestSupport
import Testing

@Suite("The one client of a process")
struct SharedClientTests {
    /// All in one test, for there is one such client in the process, and after its end there is none.
    @Test("is made at the first call that can make it, once, and is the same for every caller")
    func shared() async throws {
        let wrong = ConfigReader(provider: InMemoryProvider(values: ["httpClient.maxConnections": 0]))
        let error = try #require(throws: ConfigurationError.self) { try InstrumentedClient.shared(config: wrong) }
        #expect(error.problems.map(\.name) == ["httpClient.maxConnections"])

        let right = ConfigReader(provider: InMemoryProvider(values: ["httpClient.maxConnections": 7]))
        let tracer = KeepingTracer()
        let clients = try await withThrowingTaskGroup(of: InstrumentedClient.self) { group in
            for _ in 0..<200 {
                group.addTask { try await onThread { try InstrumentedClient.shared(config: right, tracer: tracer) } }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let client = try InstrumentedClient.shared()
        #expect(clients.count == 200)
        #expect(clients.allSatisfy { $0 === client })
        // Only the call that makes the client reads a configuration.
        #expect(try InstrumentedClient.shared(config: wrong) === client)
        #expect(client.name == "shared")
        #expect(client.configuration.limits.maxConnections == 7)
        #expect(
            client.configuration.source(of: .maxConnections)
                == .provider("InMemoryProvider[]", "httpClient.maxConnections")
        )
        #expect(PoolRegistry.process.readings().count { $0.name == "shared" } == 1)

        // One argument made each request a span.
        let refusing = try RefusingPort()
        _ = try? await client.execute("http://127.0.0.1:\(refusing.port)/", site: "traced")
        #expect(tracer.spans.map { $0.texts["error.type"] } == ["connectFailed"])
        #expect(client.reading().sites.map(\.label) == ["traced"])

        await client.shutdown(.immediate)
        #expect(try InstrumentedClient.shared() === client)
        #expect(PoolRegistry.process.readings().filter { $0.name == "shared" }.map(\.hasEnded) == [true])
    }
}
