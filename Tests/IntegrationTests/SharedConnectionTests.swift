import CurlPool
import HTTPPool
import HTTPTypes
import TestSupport
import Testing

@Suite("HTTP/2: the connection of a response")
struct SharedConnectionTests {
    @Test("The kind and the wait of each response are those of its events, and the version is 2")
    func kinds() async throws {
        let certificates = try await TestCertificates()
        let upstream = try HoldingUpstream()
        let nginx = try await Nginx.start(
            locations: upstream.location,
            tls: Nginx.TLS(certificate: try await certificates.signed(), http2Streams: 128)
        )
        try await withPool {
            $0.transport.http2 = .negotiated
            $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
        } _: { pool, journal in
            let tasks = (0..<4).map { number in
                Task { try await pool.execute(.get("https", nginx.tlsAuthority, "/held/\(number)")).connection }
            }
            try await eventually("all are held") { upstream.arrived.count == 4 }
            upstream.letGo(4)
            var connections: [ResponseConnection] = []
            for task in tasks { connections.append(try #require(try await task.value)) }
            connections.append(try #require(try await pool.execute(.get("https", nginx.tlsAuthority)).connection))

            var expected: [AcquireKind: [UInt64]] = [:]
            for event in journal.events {
                if case .acquired(let kind, let waited, _) = event.kind { expected[kind, default: []].append(waited) }
            }
            let found = Dictionary(grouping: connections, by: \.kind).mapValues { $0.map(\.waited.wholeNanoseconds) }
            #expect(found.mapValues { $0.sorted() } == expected.mapValues { $0.sorted() })
            #expect(found[.multiplexed] != nil)
            #expect(connections.allSatisfy { $0.httpVersion == "2" && ($0.opening != nil) == ($0.kind == .new) })
        }
    }
}
