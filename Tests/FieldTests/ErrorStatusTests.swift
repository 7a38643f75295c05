import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// An error status is a response like any other: it costs no connection.
@Suite("Error statuses")
struct ErrorStatusTests {
    @Test("The last error of an upstream that responds with errors is the status")
    func lastError() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil {
                connection.write("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy")
            }
        }
        try await withMeasuredPool { client in
            let response = try await client.fetch(.to(peer.authority, "/s3cret"))
            #expect(response.status == 503)
            try await client.becomes(idle: 1)
            #expect(client.measured.report().origins.first?.lastError?.words == "status 503")
        }
    }

    /// libcurl gives up a connection whose response is an error before it believes to have sent the whole request.
    @Test("Forty requests that fail are on one connection", arguments: [0, 5, 16 << 10], ["http", "https"])
    func oneConnection(bytes: Int, scheme: String) async throws {
        let certificates = try await TestCertificates()
        let nginx = try await Nginx.start(
            locations: """
                location = /busy { return 503 "busy"; }
                location = /moved { return 302 /small; }
                """,
            tls: Nginx.TLS(certificate: try await certificates.signed())
        )
        try await withMeasuredPool {
            $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
        } _: { client in
            let authority = scheme == "http" ? nginx.authority : nginx.tlsAuthority
            let body = HTTPRequestBody.bytes([UInt8](repeating: 0x78, count: bytes))
            for number in 1...40 {
                let path = number.isMultiple(of: 4) ? "/moved" : "/busy"
                let request = HTTPRequest.to(authority, path, method: .post, scheme: scheme)
                let response = try await client.fetch(request, body: body)
                #expect(response.status == (number.isMultiple(of: 4) ? 302 : 503))
            }
            let origin = try client.onlyOrigin
            #expect(origin.connectionsOpened == 1, "\(origin.connectionsClosed)")
        }
    }
}
