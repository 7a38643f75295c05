import AcceptGuarding
import HTTPPool
import Logging
import PoolMetrics
import TestSupport
import Testing

@testable import PoolEndpoint

/// The endpoint of a process that is out of descriptors. oven-sh/bun #32705, swift-nio's AcceptBackoffHandler: a
/// listener that cannot accept stays readable.
@Suite("The endpoint without descriptors", .serialized)
struct ScarcityTests {
    private static func endpoint() -> MetricsEndpoint {
        MetricsEndpoint(
            EndpointConfiguration(host: "127.0.0.1", port: 0),
            registry: PoolRegistry(),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            allowance: Allowance()
        )
    }

    @Test("answers one after the other, and does not spin")
    func answers() async throws {
        let endpoint = Self.endpoint()
        let address = try await endpoint.start()
        let text = "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n"
        // Their descriptors are there before; so is all that the runtime wants.
        let clients = try (0..<4).map { _ in try LateConnection() }
        let answers = try await onThread {
            let squeeze = try DescriptorSqueeze(free: 4)
            squeeze.takeAll()
            defer { squeeze.end() }
            for client in clients { try client.connect(to: address.port) }
            // The first says nothing and holds the one descriptor that there is, until its time is over.
            return try clients.dropFirst().map { client in
                try client.send(text)
                return try client.readToEnd()
            }
        }
        for answer in answers {
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"), "\(answer)")
            #expect(answer.contains("\r\nConnection: close\r\n"))
        }
        // One for each connection, and a few while the reserve was in use; without a pause there are some 100,000 a second.
        #expect((1...100).contains(endpoint.scarcity.failures), "\(endpoint.scarcity.failures)")
        // When there are descriptors again it is as before.
        let after = try await onThread {
            let connection = try RawConnection(port: address.port)
            try connection.send(text)
            return try connection.read()
        }
        #expect(after.contains("\r\nConnection: keep-alive\r\n"))
        await endpoint.stop()
    }
}
