import Foundation
import HTTPPool
import TestSupport
import Testing

@Suite("The README")
struct ReadmeTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "../.."
    )

    private func text(_ path: String) throws -> String {
        try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
    }

    /// What stands between two lines.
    private func part(of text: String, from first: String, to last: String) throws -> String {
        let rest = try text[#require(text.firstRange(of: first + "\n")).upperBound...]
        return try String(rest[..<#require(rest.firstRange(of: "\n" + last)).lowerBound])
    }

    @Test("has the table of settings as the code has it")
    func settings() throws {
        let path = "Sources/PoolScope/PoolScope.docc/Settings.md"
        let article = try text(path)
        let table = try part(of: article, from: "<!-- settings: begin -->", to: "<!-- settings: end -->")
        guard table != PoolScopeConfiguration.documentation else { return }
        if ProcessInfo.processInfo.environment["RENEW_DOCUMENTATION"] != nil {
            try article.replacing(table, with: PoolScopeConfiguration.documentation)
                .write(to: Self.root.appendingPathComponent(path), atomically: true, encoding: .utf8)
        } else {
            Issue.record("not as declared; RENEW_DOCUMENTATION=1 swift test --filter ReadmeTests writes it anew")
        }
    }

    @Test("has the service that is built and run here")
    func service() throws {
        let snippet = try part(of: text("README.md"), from: "```swift", to: "```")
        #expect(try text("Tests/ReadmeService/main.swift") == snippet + "\n")
    }

    @Test(
        "has a service that ends with a message and a status where its configuration is wrong, with all problems in one"
    )
    func wrongConfiguration() async throws {
        let variables = [
            "HTTP_CLIENT_MAX_CONNECTIONS": "abc", "HTTP_CLIENT_METRICS_PORT": "http", "SWIFT_BACKTRACE": "enable=no",
            "HTTP_CLIENT_CA_FILE": "/nonexistent",
        ]
        let environment = variables.mapValues(Optional.some)
        let result = try await Program(Tool.path(of: "ReadmeService"), [], environment: environment).end()
        #expect(result.status == 78)
        let lines = result.errors.split(separator: "\n")
        #expect(lines.count == 3, "\(result.errors)")
        #expect(lines.first?.hasPrefix("HTTP_CLIENT_MAX_CONNECTIONS is \"abc\"; allowed: ") == true)
        #expect(lines.dropFirst().first?.hasPrefix("HTTP_CLIENT_METRICS_PORT is \"http\"; allowed: ") == true)
        #expect(lines.last?.hasPrefix("HTTP_CLIENT_CA_FILE is \"/nonexistent\"; allowed: ") == true)
        #expect(lines.last?.hasSuffix("No such file or directory") == true)
    }
}
