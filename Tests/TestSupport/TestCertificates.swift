import Foundation

/// An authority of the tests' own, made by openssl, and certificates that it signs.
package final class TestCertificates: Sendable {
    /// A certificate and its key, as files.
    package struct Pair: Sendable {
        package let certificate: String
        package let key: String

        package var certificatePEM: String { get throws { try String(contentsOfFile: certificate, encoding: .utf8) } }
        package var keyPEM: String { get throws { try String(contentsOfFile: key, encoding: .utf8) } }
    }

    /// When a certificate is valid.
    package enum Dates: String, Sendable {
        case now = "-days 2"
        case past = "-startdate 20010101000000Z -enddate 20020101000000Z"
        case future = "-startdate 20480101000000Z -enddate 20490101000000Z"
    }

    /// The authority itself.
    package let authority: Pair
    private let folder: URL

    package init(named name: String = "An authority of tests") async throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("ca-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        authority = try await Self.selfSigned("/CN=\(name)", "authority", in: folder)
        try Data().write(to: folder.appendingPathComponent("index"))
        let configuration = """
            [ca]
            default_ca = own
            [own]
            database = \(folder.path)/index
            new_certs_dir = \(folder.path)
            rand_serial = yes
            default_md = sha256
            policy = names
            unique_subject = no
            copy_extensions = copy
            [names]
            commonName = supplied
            """
        try configuration.write(to: folder.appendingPathComponent("conf"), atomically: true, encoding: .utf8)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// A certificate that the authority has signed, for a server of this name or address, or for a client.
    package func signed(for name: String = "localhost", _ dates: Dates = .now, passPhrase: String? = nil) async throws
        -> Pair
    {
        let path = folder.appendingPathComponent(UUID().uuidString).path
        let pair = Pair(certificate: path + ".pem", key: path + ".key")
        let secrecy = passPhrase.map { ["-passout", "pass:\($0)"] } ?? ["-nodes"]
        try await Self.openssl(
            ["req"] + Self.newKey + secrecy + ["-keyout", pair.key, "-out", path + ".csr", "-subj", "/CN=\(name)"]
                + ["-addext", "subjectAltName=\(Self.isAddress(name) ? "IP" : "DNS"):\(name)"]
        )
        try await Self.openssl(
            ["ca", "-batch", "-notext", "-config", folder.appendingPathComponent("conf").path]
                + ["-cert", authority.certificate, "-keyfile", authority.key, "-in", path + ".csr"]
                + ["-out", pair.certificate] + dates.rawValue.split(separator: " ").map(String.init)
        )
        return pair
    }

    private static func isAddress(_ name: String) -> Bool {
        name.contains(":") || name.allSatisfy { $0.isNumber || $0 == "." }
    }

    /// A certificate for localhost that nobody but itself has signed.
    package func selfSigned() async throws -> Pair {
        try await Self.selfSigned("/CN=localhost", UUID().uuidString, "subjectAltName=DNS:localhost", in: folder)
    }

    private static func selfSigned(
        _ subject: String,
        _ file: String,
        _ extensions: String? = nil,
        in folder: URL
    ) async throws -> Pair {
        let path = folder.appendingPathComponent(file).path
        let pair = Pair(certificate: path + ".pem", key: path + ".key")
        try await openssl(
            ["req", "-x509"] + newKey + ["-nodes", "-days", "2", "-subj", subject, "-keyout", pair.key]
                + ["-out", pair.certificate] + (extensions.map { ["-addext", $0] } ?? [])
        )
        return pair
    }

    private static let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]

    private static func openssl(_ arguments: [String]) async throws {
        let made = try await runProgram("openssl", arguments)
        guard made.status == 0 else { throw TestFailure("openssl: \(made.errors)") }
    }
}
