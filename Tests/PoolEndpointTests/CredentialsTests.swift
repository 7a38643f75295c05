import Foundation
import HTTPPool
import Logging
import NIOCore
import PoolMetrics
import TestSupport
import Testing

@testable import PoolEndpoint

@Suite("What a request must present")
struct CredentialsTests {
    @Test(
        "A file has one token or password on each line, and each of them is accepted in the form in which clients send it"
    )
    func accepted() throws {
        let credentials = try Credentials(
            "# rotated monthly\n\nbearer s3cret-1\r\n  Bearer s3cret-2\nbasic ops:pass: word\n"
        )
        for header in ["Bearer s3cret-1", "bearer s3cret-2", "Bearer   s3cret-1", "Basic b3BzOnBhc3M6IHdvcmQ="] {
            #expect(credentials.accept(header), "\(header)")
        }
        let others = [
            "", "Bearer", "Bearer ", "Bearer s3cret", "Bearer s3cret-11", "Basic s3cret-1", "s3cret-1",
            "Bearer s3cret-1 x",
            "Basic b3BzOng=", "Basic ops:pass: word", "Bearer s3cret-1s3cret-1",
        ]
        for header in others { #expect(!credentials.accept(header), "\(header)") }
    }

    @Test(
        "A line of another form is named by its number, and nothing of it is repeated",
        arguments: [
            ("s3cret\n", 1), ("bearer a\nbearer\n", 2), ("bearer a b\n", 1), ("basic s3cret\n", 1),
            ("basic :s3cret\n", 1),
            ("digest s3cret x\n", 1), ("bearer s3cr\u{E9}t\n", 1),
        ]
    )
    func invalid(text: String, line: Int) throws {
        let fault = try #require(throws: Credentials.Fault.self) { try Credentials(text) }
        #expect(fault == .line(line) && !fault.description.contains("cr"))
    }

    @Test("A file without any is refused: it would lock everybody out", arguments: ["", "\n\n", "# bearer a\n"])
    func empty(text: String) {
        #expect(throws: Credentials.Fault.empty) { try Credentials(text) }
    }

    @Test("Every page but those of probes asks for them; the refusal is counted, and says how to present them")
    func pages() async throws {
        try await withCredentials("bearer s3cret\nbasic ops:word\n") { address, _, log in
            for path in ["/", "/metrics", "/leases", "/pools/x", "/nothing", "/-/healthy/", "//-/healthy"] {
                let refused = try await curl("-i", "http://\(address)\(path)").output
                #expect(refused.hasPrefix("HTTP/1.1 401 Unauthorized\r\n"), "\(path)")
                #expect(refused.contains("\r\nWWW-Authenticate: Bearer realm=\"poolscope\"\r\n"))
                #expect(refused.contains("\r\nWWW-Authenticate: Basic realm=\"poolscope\", charset=\"UTF-8\"\r\n"))
            }
            for path in ["/-/healthy", "/-/ready"] {
                #expect(!(try await curl("-i", "http://\(address)\(path)")).output.contains(" 401 "))
            }
            let bearer = ["-H", "Authorization: Bearer s3cret"]
            let page = try await curl(bearer[0], bearer[1], "http://\(address)/metrics").output
            #expect(page.contains(#"poolscope_endpoint_refused_total{reason="unauthorized"} 7"#))
            #expect(try await curl("-u", "ops:word", "http://\(address)/").output.hasPrefix("IDLE"))
            for wrong in [["-u", "ops:wor"], ["-u", "op:word"], ["-H", "Authorization: Bearer s3cre"]] {
                #expect(try await curl(wrong[0], wrong[1], "http://\(address)/").output == Self.refusal)
            }
            // A second field could be one that a proxy added.
            let two = try await curl(bearer[0], bearer[1], "-H", "Authorization: Basic eA==", "http://\(address)/")
            #expect(two.output == Self.refusal)
            let lines = log.descriptions
            #expect(lines.contains { $0.contains("unauthorized") } && !lines.contains { $0.contains("s3cret") })
        }
    }

    @Test(
        "A file that changes counts from then on; one that cannot be used is logged once, and the last contents count"
    )
    func changes() async throws {
        try await withCredentials("bearer one\n") { address, path, log in
            func status(_ token: String) async throws -> String {
                try await curl(
                    "-o",
                    "/dev/null",
                    "-w",
                    "%{http_code}",
                    "-H",
                    "Authorization: Bearer \(token)",
                    "http://\(address)/"
                )
                .output
            }
            #expect(try await status("one") == "200")
            try "bearer two\n".write(toFile: path, atomically: true, encoding: .utf8)
            try await eventually("the new token is accepted") { try await status("two") == "200" }
            #expect(try await status("one") == "401")
            try "s3cret\n".write(toFile: path, atomically: true, encoding: .utf8)
            func warnings() -> [String] { log.descriptions.filter { $0.contains("unchanged") } }
            try await eventually("the fault is logged") {
                _ = try await status("two")
                return !warnings().isEmpty
            }
            #expect(try await status("two") == "200")
            try FileManager.default.removeItem(atPath: path)
            try await eventually("the missing file is logged") {
                _ = try await status("two")
                return warnings().count == 2
            }
            #expect(try await status("two") == "200")
            #expect(warnings().allSatisfy { $0.contains(path) && !$0.contains("s3cret") }, "\(warnings())")
        }
    }

    @Test(
        "An endpoint whose file cannot be used does not start, and says which variable names it",
        arguments: ["missing", "s3cret\n", "", String(repeating: "# long\n", count: 10_000)]
    )
    func start(contents: String) async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        if contents != "missing" { try contents.write(toFile: path, atomically: true, encoding: .utf8) }
        defer { try? FileManager.default.removeItem(atPath: path) }
        var configuration = EndpointConfiguration(host: "127.0.0.1", port: 0)
        configuration.credentialsFile = path
        let endpoint = MetricsEndpoint(configuration, registry: PoolRegistry(), logger: Logger(label: "test"))
        let error = try await #require(throws: EndpointError.self) { try await endpoint.start() }
        #expect(error.code == .credentials && error.description.contains(path), "\(error)")
        #expect(error.description.contains("endpoint.credentialsFile") && !error.description.contains("s3cret"))
        #expect(endpoint.port == nil)
        #expect(StartFailure.report(of: error).status == 78)
    }

    private static let refusal = "this endpoint asks for a token or a password\n"

    private func withCredentials(
        _ text: String,
        _ body: (EndpointAddress, _ path: String, LogLines) async throws -> Void
    ) async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        var configuration = EndpointConfiguration(host: "127.0.0.1", port: 0)
        configuration.credentialsFile = path
        let log = LogLines()
        let endpoint = MetricsEndpoint(
            configuration,
            registry: PoolRegistry(),
            logger: log.logger()
        )
        let address = try await endpoint.start()
        do {
            try await body(address, path, log)
        } catch {
            await endpoint.stop()
            throw error
        }
        await endpoint.stop()
    }
}
