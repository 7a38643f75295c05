import CurlPool
import Foundation
import Glibc
import HTTPPool
import TestSupport
import Testing

/// What libcurl was built to trust, in the test's hands. It needs a libcurl that was built with
/// `-DCURL_CA_BUNDLE=$DEFAULT_AUTHORITIES/bundle.pem -DCURL_CA_PATH=$DEFAULT_AUTHORITIES/path`, on LD_LIBRARY_PATH.
@Suite(
    "Authorities that libcurl was built to trust",
    .serialized,
    .enabled(if: ProcessInfo.processInfo.environment["DEFAULT_AUTHORITIES"] != nil)
)
struct DefaultAuthorityTests {
    /// Where the server's authority is, among what libcurl was built to trust.
    enum Place: String, CaseIterable, Codable {
        case bundle, folder, both
        /// In neither.
        case none

        var isInBundle: Bool { self == .bundle || self == .both }
        var isInFolder: Bool { self == .folder || self == .both }
    }

    @Test("Only one's own means that the default's are not accepted; the system's are", arguments: Place.allCases)
    func trust(place: Place) async {
        await #expect(processExitsWith: .success) { [place] in
            // Names of their own: OpenSSL does not look in a folder for a name that it has from a file.
            let certificates = try await TestCertificates(named: "The server's")
            let others = try await TestCertificates(named: "Another")
            let strangers = try await TestCertificates(named: "A stranger")
            let file = certificates.authority.certificate
            let other = PoolTLS.PEM.file(others.authority.certificate)
            let home = try #require(ProcessInfo.processInfo.environment["DEFAULT_AUTHORITIES"])
            try await fill(home, place, with: file, stranger: strangers.authority.certificate)
            for name in ["SSL_CERT_FILE", "SSL_CERT_DIR"] { unsetenv(name) }
            let nginx = try await Nginx.start(tls: Nginx.TLS(certificate: try await certificates.signed()))
            let known = place == .none ? "tlsFailed" : "reached"
            let table: [(PoolTLS.Trust, String)] = [
                (.only(other), "tlsFailed"),
                (.only(.text(try others.authority.certificatePEM)), "tlsFailed"),
                (.only(.file(file)), "reached"),
                (.system, known),
                (.systemAnd(other), known),
                (.systemAnd(.file(file)), "reached"),
            ]
            for (trust, outcome) in table {
                var got = "reached"
                do {
                    try await withPool {
                        $0.transport.tls.trust = trust
                    } _: { pool, _ in
                        _ = try await pool.execute(.get("https", nginx.tlsAuthority)).body.collect()
                    }
                } catch let error as PoolError {
                    got = error.code.description
                }
                #expect(got == outcome, "\(place): \(trust)")
            }
        }
    }
}

/// Puts the authority, and a stranger, where libcurl looks. Each is in a folder under its hash.
private func fill(_ home: String, _ place: DefaultAuthorityTests.Place, with file: String, stranger: String)
    async throws
{
    let files = FileManager.default
    let folder = home + "/path"
    try? files.removeItem(atPath: folder)
    try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let inBundle = place.isInBundle ? [stranger, file] : [stranger]
    try inBundle.map { try String(contentsOfFile: $0, encoding: .utf8) }.joined()
        .write(toFile: home + "/bundle.pem", atomically: true, encoding: .utf8)
    let inFolder = place.isInFolder ? [stranger, file] : [stranger]
    for path in inFolder {
        let hash = try await runProgram("openssl", ["x509", "-noout", "-subject_hash", "-in", path])
        let name = hash.output.trimmingCharacters(in: .whitespacesAndNewlines)
        try files.copyItem(atPath: path, toPath: "\(folder)/\(name).0")
    }
}
