import Foundation
import Glibc
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// A server that closes each connection after a few requests, as nginx does with `keepalive_requests`.
@Suite("Connections that serve a few requests")
struct ServerLimitsTests {
    @Test("Levels and close reasons are true, and nothing is left of a connection", arguments: [false, true])
    func fewRequests(http2: Bool) async throws {
        let certificates = try await TestCertificates()
        let nginx = try await Nginx.start(
            keepaliveRequests: 5,
            tls: Nginx.TLS(certificate: try await certificates.signed(), http2Streams: http2 ? 32 : nil)
        )
        try await withMeasuredPool {
            $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
            $0.transport.http2 = http2 ? .negotiated : .off
        } _: { client in
            let before = clock()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        for _ in 0..<50 {
                            let response = try await client.fetch(.to(nginx.tlsAuthority, "/small", scheme: "https"))
                            #expect(response.text == "small")
                        }
                    }
                }
                try await group.waitForAll()
            }
            let origin = try client.onlyOrigin
            // The last response of a connection says so, by its `Connection` field or by GOAWAY.
            let said = origin.connectionsClosed[.responseClose] + origin.connectionsClosed[.peerClosed]
            #expect(origin.connectionsClosed.total == said, "\(origin.connectionsClosed)")
            #expect(http2 || origin.connectionsClosed[.peerClosed] == 0, "\(origin.connectionsClosed)")
            #expect(origin.leases.total == 200 + origin.staleRetries)
            try await eventually("the kernel's count is the pool's, and no socket waits to be closed") {
                let kernel = try KernelSockets()
                return kernel.count(.closeWait, to: nginx.tlsPort) == 0
                    && kernel.count(.established, to: nginx.tlsPort) == client.reading().levels.connections.total
            }
            // A driver that spins takes a core for as long as it does.
            let start = clock()
            let end = Date().addingTimeInterval(0.5)
            while Date() < end { try await Task.sleep(for: .milliseconds(50)) }
            let spent = Double(clock() - start) / Double(CLOCKS_PER_SEC)
            #expect(spent < 0.25, "at rest after \(clock() - before) ticks of work")
        }
    }
}
