import CurlPool
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// Peers that refuse every request unprocessed (RFC 9113, 8.7; RFC 9110, 9.2.2).
///
/// Such requests may be sent again (golang/go #20985, curl/curl #12054), but not on connection after connection
/// without end.
@Suite("Peers that refuse")
struct RefusedRequestTests {
    private func configure(_ configuration: inout PoolConfiguration, _ certificates: TestCertificates) {
        configuration.transport.http2 = .negotiated
        configuration.transport.tls.trust = .only(.file(certificates.authority.certificate))
    }

    @Test(
        "Whatever the number of callers, connections are opened one by one and after pauses",
        arguments: RefusingPeer.Manner.allCases
    )
    func endless(_ manner: RefusingPeer.Manner) async throws {
        let certificates = try await TestCertificates()
        let peer = try await RefusingPeer(manner, certificate: try await certificates.signed())
        try await withMeasuredPool {
            configure(&$0, certificates)
        } _: { client in
            let request = HTTPRequest.to(peer.authority, scheme: "https")
            let callers = (0..<30).map { _ in
                Task {
                    var failures: [PoolError] = []
                    while !Task.isCancelled {
                        do {
                            _ = try await client.fetch(request)
                            Issue.record("the peer refuses everything")
                        } catch let error as PoolError {
                            failures.append(error)
                            // A client that fails at once must not keep the test from its end.
                            await Task.yield()
                        } catch {
                            break
                        }
                    }
                    return failures
                }
            }
            defer { for task in callers { task.cancel() } }
            let pauses = [0.05, 0.1, 0.2, 0.4, 0.8, 1, 1]
            try await eventually("it was tried again and again") { try peer.accepted.count >= pauses.count + 2 }
            try await eventually("the others wait") { client.reading().levels.requests.queued > 0 }
            for task in callers { task.cancel() }
            var failures: [PoolError] = []
            for task in callers { failures += await task.value }
            #expect(failures.allSatisfy { $0.code == .connectionLost && $0.reason.contains("refused") }, "\(failures)")
            #expect(!failures.isEmpty)
            let accepted = try peer.accepted
            for (index, pause) in pauses.enumerated() {
                // The pause begins when the connection before has refused, which is after it was accepted.
                let gap = accepted[index + 2] - accepted[index + 1]
                #expect(gap >= pause, "connection \(index + 2) of \(accepted)")
            }
            let origin = try client.onlyOrigin
            // The callers may end while a connection is being opened, or has not refused yet.
            let closed = origin.connectionsClosed
            #expect(closed[.peerClosed] + closed[.requestCancelled] == closed.total)
            #expect(closed[.requestCancelled] <= 1)
            #expect(client.reading().limitWaits(.connections) == 0)
        }
    }

    @Test(
        "The first response ends the pauses, and a request that may not wait fails at once",
        arguments: RefusingPeer.Manner.allCases
    )
    func recovers(_ manner: RefusingPeer.Manner) async throws {
        let certificates = try await TestCertificates()
        let peer = try await RefusingPeer(manner, servesAfter: 3, certificate: try await certificates.signed())
        try await withMeasuredPool {
            configure(&$0, certificates)
        } _: { client in
            let request = HTTPRequest.to(peer.authority, scheme: "https")
            // Two connections for the first request, one for the second.
            for _ in 0..<2 {
                let error = try await poolError { _ = try await client.fetch(request) }
                #expect(error.code == .connectionLost)
            }
            var options = RequestOptions()
            options.timeouts.acquire = .zero
            let impatient = try await poolError { _ = try await client.fetch(request, options: options) }
            #expect(impatient.code == .acquireTimeout)
            #expect(impatient.limit == nil)
            for _ in 0..<3 {
                let response = try await client.fetch(request)
                #expect(response.status == 200)
            }
            let origin = try client.onlyOrigin
            #expect(origin.connectionsOpened == 4)
            #expect(origin.staleRetries == 1)
            #expect(origin.acquires[.reused] == 2)
        }
    }
}
