import CurlPool
import Foundation
import Glibc
import HTTPPool
import HTTPTypes
import TestSupport
import Testing

/// TLS against a real nginx whose certificate nobody has signed.
@Suite("An untrusted peer")
struct UntrustedPeerTests {
    @Test("A certificate that the system does not trust is an error of its own, and nothing is sent")
    func selfSigned() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (key, certificate) = ("\(folder.path)/key.pem", "\(folder.path)/certificate.pem")
        let made = try await runProgram(
            "openssl",
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
                + [
                    "-keyout", key, "-out", certificate, "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost",
                ]
        )
        try #require(made.status == 0, "\(made.errors)")
        let probe = try ScriptedPeer.listen(backlog: 1)
        let port = ScriptedPeer.port(of: probe)
        close(probe)
        let nginx = try await Nginx.start(
            locations: "listen 127.0.0.1:\(port) ssl; ssl_certificate \(certificate); ssl_certificate_key \(key);"
        )
        let pool = try CurlClient()
        let journal = Journal()
        try pool.attach(journal)
        let request = HTTPRequest(method: .get, scheme: "https", authority: "localhost:\(port)", path: "/small")
        do {
            _ = try await pool.execute(request)
            Issue.record("it was trusted")
        } catch let error as PoolError {
            #expect(error.code == .tlsFailed)
        }
        #expect(journal.connectFailures == [.tls])
        #expect(journal.acquireFailures == [.connectFailed])
        #expect(journal.levels == OriginLevels())
        #expect(try await nginx.status()?.requests == 1)
        await pool.shutdown()
    }
}
