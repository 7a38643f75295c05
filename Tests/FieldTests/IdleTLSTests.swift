import FaultServer
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// What a peer says on a connection that no request is on, over TLS.
@Suite("Idle connections over TLS")
struct IdleTLSTests {
    // RFC 8446, 6.1: a close begins with an alert, which comes before the end of the connection does.
    @Test("An ordinary close is counted as the peer's", arguments: ["TLSv1.2", "TLSv1.3"])
    func ordinaryClose(version: String) async throws {
        let certificates = try await TestCertificates()
        let nginx = try await Nginx.start(
            keepaliveTimeout: 1,
            tls: Nginx.TLS(certificate: try await certificates.signed(), directives: "ssl_protocols \(version);")
        )
        try await withMeasuredPool {
            $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
        } _: { client in
            for round in 1...3 {
                let request = HTTPRequest.to(nginx.tlsAuthority, "/small", scheme: "https")
                async let one = client.fetch(request)
                async let two = client.fetch(request)
                _ = try await (one, two)
                try await client.becomes()
                let origin = try client.onlyOrigin
                #expect(origin.connectionsClosed[.peerClosed] == origin.connectionsClosed.total, "round \(round)")
                #expect(origin.connectionsClosed.total >= UInt64(round))
            }
        }
    }
}
