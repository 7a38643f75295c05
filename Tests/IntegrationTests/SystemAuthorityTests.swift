import CurlPool
import Foundation
import Glibc
import HTTPPool
import TestSupport
import Testing

/// OpenSSL's variables of the environment, which Go and httpx heed too. The environment is a process's, so it has one of
/// its own.
@Suite("Authorities of the environment")
struct SystemAuthorityTests {
    @Test("SSL_CERT_FILE and SSL_CERT_DIR are heeded where no authority is configured, and only there")
    func environment() async {
        await #expect(processExitsWith: .success) {
            let certificates = try await TestCertificates()
            let others = try await TestCertificates()
            let nginx = try await Nginx.start(tls: Nginx.TLS(certificate: try await certificates.signed()))
            let file = certificates.authority.certificate
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            // A folder of OpenSSL's has each certificate under its hash, beside other files.
            try FileManager.default.copyItem(atPath: file, toPath: folder.appendingPathComponent("12345678.0").path)
            try Data("no certificate".utf8).write(to: folder.appendingPathComponent("README"))
            let reaches = { (variables: [String: String], trust: PoolTLS.Trust) in
                for name in ["SSL_CERT_FILE", "SSL_CERT_DIR"] { unsetenv(name) }
                for (name, value) in variables { setenv(name, value, 1) }
                do {
                    try await withPool {
                        $0.transport.tls.trust = trust
                    } _: { pool, _ in
                        _ = try await pool.execute(.get("https", nginx.tlsAuthority)).body.collect()
                    }
                    return "reached"
                } catch let error as PoolError {
                    return error.code.description
                } catch let error as ConfigurationError {
                    return error.problems.map(\.name).joined(separator: " ")
                }
            }
            let other = others.authority.certificate
            let table: [([String: String], PoolTLS.Trust, String)] = [
                ([:], .system, "tlsFailed"),
                (["SSL_CERT_FILE": ""], .system, "tlsFailed"),
                (["SSL_CERT_FILE": file], .system, "reached"),
                (["SSL_CERT_FILE": other], .system, "tlsFailed"),
                (["SSL_CERT_FILE": file], .only(.file(other)), "tlsFailed"),
                (["SSL_CERT_FILE": file], .systemAnd(.file(other)), "tlsFailed"),
                (["SSL_CERT_DIR": folder.path], .system, "reached"),
                (["SSL_CERT_DIR": "/nowhere:\(folder.path)"], .system, "reached"),
                (["SSL_CERT_FILE": other, "SSL_CERT_DIR": folder.path], .system, "reached"),
                (["SSL_CERT_DIR": folder.path], .only(.file(other)), "tlsFailed"),
                // What names nothing is reported, and not passed over.
                (["SSL_CERT_FILE": "/nowhere"], .system, "SSL_CERT_FILE"),
                (["SSL_CERT_FILE": "/etc"], .system, "SSL_CERT_FILE"),
                (["SSL_CERT_DIR": "/nowhere"], .system, "SSL_CERT_DIR"),
            ]
            for (variables, trust, outcome) in table {
                #expect(try await reaches(variables, trust) == outcome, "\(variables) \(trust)")
            }
        }
    }
}
