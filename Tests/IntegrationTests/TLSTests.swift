import CurlPool
import Foundation
import HTTPPool
import HTTPTypes
import TestSupport
import Testing

/// Whom a pool trusts, against a real nginx with certificates of every kind.
@Suite("TLS")
struct TLSTests {
    private let certificates: TestCertificates

    init() async throws { certificates = try await TestCertificates() }

    private func nginx(_ certificate: TestCertificates.Pair, _ directives: String = "") async throws -> Nginx {
        try await Nginx.start(tls: Nginx.TLS(certificate: certificate, directives: directives))
    }

    @Test("An authority of one's own is trusted, from a file and from memory, beside the system's or alone")
    func trust() async throws {
        let nginx = try await nginx(certificates.signed())
        let pem = PoolTLS.PEM.text(try certificates.authority.certificatePEM)
        let file = PoolTLS.PEM.file(certificates.authority.certificate)
        for trust in [PoolTLS.Trust.systemAnd(file), .only(file), .systemAnd(pem), .only(pem)] {
            try await withPool {
                $0.transport.tls.trust = trust
            } _: { pool, journal in
                try await pool.expect("small", to: .get("https", nginx.tlsAuthority))
                try await pool.expect("small", to: .get("https", nginx.tlsAuthority))
                #expect(journal.acquireKinds == [.new, .reused])
            }
        }
    }

    @Test("A file may change after the pool was made: it was read")
    func fileIsRead() async throws {
        let nginx = try await nginx(certificates.signed())
        let copy = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).pem").path
        try FileManager.default.copyItem(atPath: certificates.authority.certificate, toPath: copy)
        try await withPool {
            $0.transport.tls.trust = .only(.file(copy))
        } _: { pool, _ in
            try FileManager.default.removeItem(atPath: copy)
            try await pool.expect("small", to: .get("https", nginx.tlsAuthority))
        }
    }

    @Test("Expired, not yet valid, for another host, of an unknown authority, self-signed: each says so")
    func refused() async throws {
        let others = try await TestCertificates()
        let kinds: [(TestCertificates.Pair, words: String)] = [
            (try await certificates.signed(.past), "has expired"),
            (try await certificates.signed(.future), "is not valid yet"),
            (try await certificates.signed(for: "elsewhere.example"), "is for another host"),
            (try await others.signed(), "the authority of the server's certificate is unknown"),
            (try await certificates.selfSigned(), "self-signed"),
        ]
        for (certificate, words) in kinds {
            let nginx = try await nginx(certificate)
            try await withPool {
                $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
            } _: { pool, journal in
                try await expectError(.tlsFailed, saying: words) {
                    _ = try await pool.text(.get("https", nginx.tlsAuthority))
                }
                #expect(journal.connectFailures == [.tls])
                #expect(journal.acquireFailures == [.connectFailed])
            }
            #expect(try nginx.served().isEmpty)
            // Whoever checks nothing gets an answer from all of them.
            try await withPool {
                $0.transport.tls.verification = .insecurelyAcceptAnyServer
            } _: { pool, _ in
                try await pool.expect("small", to: .get("https", nginx.tlsAuthority))
            }
        }
    }

    @Test("The system's authorities alone do not trust ours, and ours alone are not the system's")
    func systemOnly() async throws {
        let nginx = try await nginx(certificates.signed())
        try await withPool { pool, _ in
            try await expectError(.tlsFailed, saying: "authority of the server's certificate is unknown") {
                _ = try await pool.text(.get("https", nginx.tlsAuthority))
            }
        }
    }

    @Test("A server that speaks only TLS 1.2 is refused where 1.3 is the least, and the error says so")
    func minimumVersion() async throws {
        let nginx = try await nginx(certificates.signed(), "ssl_protocols TLSv1.2;")
        for version in PoolTLS.Version.allCases {
            try await withPool {
                $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
                $0.transport.tls.minimumVersion = version
            } _: { pool, journal in
                if version == .tls12 {
                    try await pool.expect("small", to: .get("https", nginx.tlsAuthority))
                } else {
                    try await expectError(.tlsFailed, saying: "protocol version") {
                        _ = try await pool.text(.get("https", nginx.tlsAuthority))
                    }
                    #expect(journal.connectFailures == [.tls])
                }
            }
        }
    }

    @Test("A port that speaks no TLS is an error of TLS")
    func plainPort() async throws {
        let nginx = try await nginx(certificates.signed())
        try await withPool { pool, journal in
            let error = try await poolError { _ = try await pool.text(.get("https", nginx.authority)) }
            #expect(error.code == .tlsFailed)
            #expect(journal.connectFailures == [.tls])
        }
    }

    @Test("Authorities that cannot be read, or are none, are told when the pool is made, by name")
    func unreadable() throws {
        for path in ["/nowhere/ca.pem", "/tmp", "/etc/hostname", certificates.authority.key] {
            for trust in [PoolTLS.Trust.only(.file(path)), .systemAnd(.file(path))] {
                var configuration = PoolConfiguration()
                configuration.transport.tls.trust = trust
                let error = try #require(throws: ConfigurationError.self) { _ = try CurlClient(configuration) }
                #expect(error.description.contains(path))
                #expect(error.description.contains("tls.trust"))
            }
        }
        var configuration = PoolConfiguration()
        configuration.transport.tls.trust = .only(.text("no certificate, but s3cret"))
        let error = try #require(throws: ConfigurationError.self) { _ = try CurlClient(configuration) }
        #expect(!"\(error)".contains("s3cret"))
    }
}
