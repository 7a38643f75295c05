import Foundation
import Glibc
import TestSupport

/// A real TLS server, openssl's own, with a certificate that nobody has signed.
package final class UntrustedServer: Sendable {
    package let port: UInt16
    private let reservation: RefusingPort
    private let program: Program
    private let folder: URL

    package var authority: String { "127.0.0.1:\(port)" }
    package var origin: String { "https://\(authority)" }

    /// Starts it and waits until it listens.
    package static func start() async throws -> UntrustedServer {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let (key, certificate) = ("\(folder.path)/key.pem", "\(folder.path)/certificate.pem")
        let made = try await runProgram(
            "openssl",
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
                + ["-keyout", key, "-out", certificate, "-subj", "/CN=127.0.0.1"]
                + ["-addext", "subjectAltName=IP:127.0.0.1"]
        )
        guard made.status == 0 else { throw TestFailure("openssl: \(made.errors)") }
        let server = try UntrustedServer(folder: folder, key: key, certificate: certificate)
        try await eventually("it listens; it says: \(server.program.errors)") {
            server.program.output.contains("ACCEPT")
        }
        return server
    }

    private init(folder: URL, key: String, certificate: String) throws {
        self.folder = folder
        reservation = try RefusingPort()
        port = reservation.port
        program = try Program(
            "openssl",
            ["s_server", "-accept", "127.0.0.1:\(port)", "-key", key, "-cert", certificate, "-www"]
        )
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }
}
