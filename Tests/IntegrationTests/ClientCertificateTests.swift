import CurlPool
import Foundation
import Glibc
import HTTPPool
import HTTPTypes
import TestSupport
import Testing

/// How a pool is recognised, by a real nginx that asks for the client's certificate.
@Suite("Client certificates")
struct ClientCertificateTests {
    private let certificates: TestCertificates
    private let nginx: Nginx

    init() async throws {
        certificates = try await TestCertificates()
        let asks = "ssl_client_certificate \(certificates.authority.certificate); ssl_verify_client on;"
        nginx = try await Nginx.start(
            locations: "location = /who { return 200 $ssl_client_s_dn; }",
            tls: Nginx.TLS(certificate: try await certificates.signed(), directives: asks)
        )
    }

    private func withIdentity(
        _ identity: PoolTLS.Identity?,
        _ body: (CurlClient, Journal) async throws -> Void
    ) async throws {
        try await withPool(
            {
                $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
                $0.transport.tls.identity = identity
            },
            body
        )
    }

    @Test("A client with a certificate is recognised, its key with a pass phrase or without, from file or memory")
    func recognised() async throws {
        let open = try await certificates.signed(for: "open.client")
        let locked = try await certificates.signed(for: "locked.client", passPhrase: "open s3same")
        let identities = [
            PoolTLS.Identity(certificate: .file(open.certificate), privateKey: .file(open.key)),
            PoolTLS.Identity(certificate: .text(try open.certificatePEM), privateKey: .text(try open.keyPEM)),
            PoolTLS.Identity(
                certificate: .file(locked.certificate),
                privateKey: .file(locked.key),
                passPhrase: Secret("open s3same")
            ),
        ]
        for (identity, name) in zip(identities, ["open.client", "open.client", "locked.client"]) {
            try await withIdentity(identity) { pool, _ in
                try await pool.expect("CN=\(name)", to: .get("https", nginx.tlsAuthority, "/who"))
            }
        }
        // One that shows nothing is answered, and not served.
        try await withIdentity(nil) { pool, _ in
            let response = try await pool.execute(.get("https", nginx.tlsAuthority, "/who"))
            #expect(response.status == .badRequest)
        }
    }

    @Test("A key of another certificate, a wrong pass phrase and none are errors that say so, and hide it")
    func wrongKey() async throws {
        let open = try await certificates.signed(for: "open.client")
        let locked = try await certificates.signed(for: "locked.client", passPhrase: "open s3same")
        let identities = [
            PoolTLS.Identity(certificate: .file(locked.certificate), privateKey: .file(open.key)),
            PoolTLS.Identity(
                certificate: .file(locked.certificate),
                privateKey: .file(locked.key),
                passPhrase: Secret("wr0ng phrase")
            ),
            PoolTLS.Identity(certificate: .file(locked.certificate), privateKey: .file(locked.key)),
        ]
        for identity in identities {
            try await withIdentity(identity) { pool, journal in
                let error = try await poolError { _ = try await pool.text(.get("https", nginx.tlsAuthority, "/who")) }
                #expect(error.code == .tlsFailed)
                #expect(error.reason.contains("the client certificate or its key"), "\(error)")
                #expect(!"\(error)".contains("phrase:") && !"\(error)".contains("wr0ng"))
                #expect(journal.connectFailures == [.tls])
            }
        }
    }

    @Test("A server that breaks TLS 1.3 off for want of a certificate is an error of TLS, though the request was sent")
    func required() async throws {
        let server = try await certificates.signed()
        let probe = try ScriptedPeer.listen(backlog: 1)
        let port = ScriptedPeer.port(of: probe)
        close(probe)
        let openssl = try Program(
            "openssl",
            ["s_server", "-accept", "127.0.0.1:\(port)", "-cert", server.certificate, "-key", server.key]
                + ["-CAfile", certificates.authority.certificate, "-Verify", "1", "-verify_return_error", "-www"]
        )
        try await eventually("openssl listens") { openssl.output.contains("ACCEPT") }
        try await withIdentity(nil) { pool, _ in
            try await expectError(.tlsFailed, saying: "certificate required") {
                _ = try await pool.text(.get("https", "localhost:\(port)", "/"))
            }
        }
    }

    @Test("What is no certificate or no key is told when the pool is made, and a secret is never shown")
    func hidden() async throws {
        let pair = try await certificates.signed(for: "a.client")
        let key = try pair.keyPEM
        var configuration = PoolConfiguration()
        configuration.transport.tls.identity = PoolTLS.Identity(
            certificate: .text(try pair.certificatePEM),
            privateKey: .text(key),
            passPhrase: Secret("open s3same")
        )
        configuration.transport.proxy = .server(
            PoolProxy.Server(
                host: "proxy.example",
                port: 1,
                credentials: .init(user: "somebody", password: "pass4word")
            )
        )
        var dumped = ""
        dump(configuration, to: &dumped)
        let line = try #require(key.split(separator: "\n").dropFirst().first)
        let shown = [dumped, String(describing: configuration), String(reflecting: configuration), "\(configuration)"]
        let bytes = Array(key.utf8).prefix(20).map(String.init).joined(separator: ", ")
        for text in shown {
            for secret in [String(line), bytes, "open s3same", "somebody", "pass4word"] {
                #expect(!text.contains(secret))
            }
            #expect(text.contains("proxy.example"))
        }

        for isKey in [true, false] {
            var configuration = configuration
            configuration.transport.tls.identity = PoolTLS.Identity(
                certificate: isKey ? .text(try pair.certificatePEM) : .text("s3cret"),
                privateKey: isKey ? .text("s3cret") : .text(key)
            )
            let error = try #require(throws: ConfigurationError.self) { _ = try CurlClient(configuration) }
            #expect(error.description.contains(isKey ? "tls.identity.privateKey" : "tls.identity.certificate"))
            #expect(!"\(error)".contains("s3cret"))
        }
    }
}
