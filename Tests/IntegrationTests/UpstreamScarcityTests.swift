import LoopbackUpstream
import TestSupport
import Testing

/// The load's own server in a process that is out of descriptors: it left none to the runtime, which then ended the
/// process, and did not accept again.
@Suite("The loopback upstream without descriptors", .serialized)
struct UpstreamScarcityTests {
    @Test("serves one connection after the other, with one response each")
    func serves() async throws {
        let upstream = LoopbackUpstream()
        try await upstream.start()
        let port = upstream.port
        // Their descriptors are there before; so is all that the runtime wants.
        let clients = try (0..<4).map { _ in try LateConnection() }
        let responses = try await onThread {
            let squeeze = try DescriptorSqueeze(free: 4)
            squeeze.takeAll()
            defer { squeeze.end() }
            for client in clients {
                try client.connect(to: port)
                try client.send("GET /fast HTTP/1.1\r\nHost: a\r\n\r\n")
            }
            return try clients.map { try $0.readToEnd() }
        }
        for response in responses {
            #expect(response.hasPrefix("HTTP/1.1 200 OK\r\n"), "\(response)")
            #expect(response.contains("\r\nconnection: close\r\n"), "\(response)")
        }
        // When there are descriptors again, a connection has more than one response.
        let after = try await onThread {
            let connection = try LateConnection()
            try connection.connect(to: port)
            try connection.send("GET /fast HTTP/1.1\r\nHost: a\r\n\r\n")
            try connection.send("GET /fast HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            return try connection.readToEnd()
        }
        #expect(after.ranges(of: "HTTP/1.1 200 OK\r\n").count == 2, "\(after)")
        await upstream.stop()
    }
}
