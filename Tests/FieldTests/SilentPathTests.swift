import CurlPool
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// An HTTP/2 connection whose path dies without a word is replaced.
///
/// Go's http2.Transport has ReadIdleTimeout for it (golang/net PR #55), OkHttp its degraded connections (square/okhttp
/// #3146); libcurl 7.88 cannot send a PING on a connection of a share (RFC 9113, 6.7).
@Suite("HTTP/2 paths that die")
struct SilentPathTests {
    @Test(
        "At most the requests that were on it fail; others have a new connection at once, and it closes as unresponsive"
    )
    func replaced() async throws {
        let certificates = try await TestCertificates()
        let nginx = try await Nginx.start(
            tls: Nginx.TLS(certificate: try await certificates.signed(), http2Streams: 128)
        )
        let relay = try Relay(to: nginx.tlsPort)
        try await withMeasuredPool {
            $0.transport.http2 = .negotiated
            $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
            $0.timeouts.read = .seconds(1)
        } _: { client in
            let request = HTTPRequest.to(relay.authority, "/small", scheme: "https")
            let first = try await client.fetch(request)
            #expect(first.text == "small")
            relay.silence()
            // Five requests a second, until one of them finds another connection.
            var lost: [Task<PoolError?, any Error>] = []
            while try client.onlyOrigin.connectionsOpened < 2 {
                try #require(lost.count < 30, "the connection is never replaced")
                lost.append(
                    Task {
                        do {
                            _ = try await client.fetch(request)
                            return nil
                        } catch let error as PoolError {
                            return error
                        }
                    }
                )
                try await Task.sleep(for: .milliseconds(200))
            }
            // The old one counts as long as requests are on it.
            let held = client.reading().levels.connections
            #expect(held.active + held.idle == 2, "\(held)")
            for _ in 0..<5 {
                let next = try await client.fetch(request)
                #expect(next.text == "small")
            }
            var failed = 0
            for task in lost {
                guard let error = try await task.value else { continue }
                failed += 1
                #expect(error.code == .readTimeout, "\(error)")
            }
            try await client.becomes(idle: 1)
            let origin = try client.onlyOrigin
            // Those that were sent within the second before the first of them timed out.
            #expect((1...6).contains(failed), "\(failed)")
            #expect(origin.connectionsOpened == 2)
            #expect(origin.connectionsClosed[.unresponsive] == 1)
            #expect(origin.connectionsClosed.total == 1)
            #expect(relay.connections == 2)
        }
    }
}
