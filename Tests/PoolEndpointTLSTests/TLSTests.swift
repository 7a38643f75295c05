import Foundation
import HTTPPool
import Logging
import PoolEndpoint
import PoolMetrics
import TestSupport
import Testing

@testable import PoolEndpointTLS

@Suite("The endpoint with TLS", .serialized)
struct TLSTests {
    private func endpoint(_ pair: TestCertificates.Pair) throws -> MetricsEndpoint {
        try .withTLS(configuration(pair.certificate, pair.key), registry: PoolRegistry(), logger: Logger(label: "test"))
    }

    private func configuration(_ certificate: String?, _ key: String?) -> EndpointConfiguration {
        var configuration = EndpointConfiguration(host: "127.0.0.1", port: 0)
        configuration.tlsCertificateFile = certificate
        configuration.tlsKeyFile = key
        return configuration
    }

    @Test("serves every page with version 1.2 and 1.3, refuses older ones, and plain text gets nothing")
    func pages() async throws {
        let certificates = try await TestCertificates()
        let endpoint = try endpoint(try await certificates.signed())
        let address = try await endpoint.start()
        let url = "https://localhost:\(address.port)"
        for version in [["--tls-max", "1.2"], ["--tlsv1.3", "-4"]] {
            let page = try await curl(
                "--cacert",
                certificates.authority.certificate,
                version[0],
                version[1],
                "\(url)/metrics"
            )
            #expect(page.output.contains("\npoolscope_build_info"), "\(page)")
        }
        let kept = try await curl(
            "--cacert",
            certificates.authority.certificate,
            "-w",
            "%{num_connects}",
            "\(url)/-/healthy",
            "\(url)/-/healthy"
        )
        #expect(kept.output == "ok\n1ok\n0")
        #expect(
            try await curl("--cacert", certificates.authority.certificate, "--tls-max", "1.1", "\(url)/").status != 0
        )
        #expect(try await curl("\(url)/").status == 60, "the authority is not one of the system")
        #expect(try await curl("http://localhost:\(address.port)/").status != 0)
        // Whoever speaks no TLS has not harmed it.
        #expect(try await curl("--cacert", certificates.authority.certificate, "\(url)/-/healthy").output == "ok\n")
        await endpoint.stop()
    }

    @Test("uses a renewed certificate for new connections, and keeps the old one while the new one is invalid")
    func renewal() async throws {
        let certificates = try await TestCertificates()
        let (old, new) = (try await certificates.signed(), try await certificates.signed(for: "127.0.0.1"))
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (certificate, key) = (folder.appendingPathComponent("c.pem"), folder.appendingPathComponent("k.pem"))
        func install(_ pair: TestCertificates.Pair) throws {
            try Data(contentsOf: URL(fileURLWithPath: pair.certificate)).write(to: certificate)
            try Data(contentsOf: URL(fileURLWithPath: pair.key)).write(to: key)
        }
        try install(old)
        let endpoint = try MetricsEndpoint.withTLS(
            configuration(certificate.path, key.path),
            registry: PoolRegistry(),
            logger: Logger(label: "test")
        )
        let address = try await endpoint.start()
        func isServed(as name: String) async throws -> Bool {
            try await curl("--cacert", certificates.authority.certificate, "https://\(name):\(address.port)/-/healthy")
                .output == "ok\n"
        }
        #expect(try await isServed(as: "localhost"))
        try Data("not a certificate".utf8).write(to: certificate)
        for _ in 0..<3 { #expect(try await isServed(as: "localhost")) }
        try install(new)
        try await eventually("the new certificate is served") { try await isServed(as: "127.0.0.1") }
        #expect(!(try await isServed(as: "localhost")))
        await endpoint.stop()
    }

    @Test("does not start with files that cannot be used, and names the one")
    func invalid() async throws {
        let certificates = try await TestCertificates()
        let (one, two) = (try await certificates.signed(), try await certificates.signed())
        let faults: [(String?, String?, String)] = [
            (nil, one.key, "are needed"), (one.certificate, nil, "are needed"),
            ("/nowhere.pem", one.key, "/nowhere.pem: No such file"), (one.certificate, "/nowhere.pem", "/nowhere.pem"),
            (one.key, one.key, "no certificate in PEM form"), (one.certificate, one.certificate, "no private key"),
            (one.certificate, two.key, "not the key of the certificate"),
        ]
        for (certificate, key, words) in faults {
            let error = try #require(throws: EndpointError.self) {
                try MetricsEndpoint.withTLS(
                    configuration(certificate, key),
                    registry: PoolRegistry(),
                    logger: Logger(label: "test")
                )
            }
            #expect(error.code == .tls && error.description.contains(words), "\(error)")
        }
    }

    @Test("An endpoint without this module does not serve in the clear what is to be encrypted")
    func notBuilt() async throws {
        let endpoint = MetricsEndpoint(
            configuration("/c.pem", "/k.pem"),
            registry: PoolRegistry(),
            logger: Logger(label: "test")
        )
        let error = try await #require(throws: EndpointError.self) { try await endpoint.start() }
        #expect(StartFailure.report(of: error).status == 78)
        #expect(error.code == .tlsNotBuilt && error.description.contains("PoolEndpointTLS"))
    }
}
