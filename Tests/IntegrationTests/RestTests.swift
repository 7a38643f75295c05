import CurlPool
import HTTPPool
import HTTPTypes
import TestSupport
import Testing

/// Connections that were idle for long enough to give up their easy handles, against a real nginx.
@Suite("Connections after a rest")
struct RestTests {
    private let upstream: HoldingUpstream
    private let certificates: TestCertificates

    init() async throws {
        upstream = try HoldingUpstream()
        certificates = try await TestCertificates()
    }

    @Test("serve again, each of them, in whatever protocol", arguments: ["http", "https", "https, HTTP/2"])
    func serveAgain(protocol name: String) async throws {
        let isMultiplexed = name.hasSuffix("HTTP/2")
        let nginx = try await Nginx.start(
            locations: upstream.location,
            tls: Nginx.TLS(certificate: try await certificates.signed(), http2Streams: isMultiplexed ? 8 : nil)
        )
        let isSecure = name.hasPrefix("https")
        let authority = isSecure ? nginx.tlsAuthority : nginx.authority
        try await withPool {
            $0.transport.http2 = isMultiplexed ? .negotiated : .off
            $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
        } _: { pool, journal in
            var opened = 0
            for round in 1...3 {
                let tasks = (0..<40).map { number in
                    let path = "/held/\(round)/\(number)"
                    return Task { try await pool.text(.get(isSecure ? "https" : "http", authority, path)) }
                }
                try await eventually("all are held") { upstream.arrived.count == 40 * round }
                upstream.letGo(40)
                for task in tasks { #expect(try await task.value == "held") }
                try await eventually("all are idle") { journal.levels.connections.active == 0 }
                if round == 1 { opened = journal.opened }
                #expect(journal.opened == opened && opened >= (isMultiplexed ? 5 : 40), "round \(round)")
                let rested = ContinuousClock.now + .seconds(1.2)
                try await eventually("they have rested") { ContinuousClock.now > rested }
            }
            #expect(journal.closeReasons.isEmpty && journal.staleRetries == 0)
        }
    }
}
