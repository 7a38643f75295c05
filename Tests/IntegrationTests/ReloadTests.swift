import Foundation
import Glibc
import TestSupport
import Testing

@Suite("poolscope run --config", .serialized)
struct ReloadTests {
    private let scrapes = CheckedScrapes()
    private static let changes = "http_client_pool_config_changes_total"
    private static let changed = "http_client_pool_config_last_change_timestamp_seconds"

    @Test("takes the file at the start, and keeps what is in force when the file is wrong then")
    func wrongFile() async throws {
        let file = try SettingsFile(#"{"httpClient": {"maxConnections": 20}}"#)
        let (run, said) = try await start(file)
        #expect(try await metrics(said).value("http_client_pool_max_connections", ["pool": "shared"]) == 20)
        let made = try await metrics(said).value(Self.changed, ["pool": "shared"])

        try file.write(#"{"httpClient": {"maxConnections": 0, "timeout": "soon"}}"#)
        run.signal(SIGHUP)
        try await eventually("the wrong file is told") { self.warnings(run).count == 1 }
        let warning = try #require(warnings(run).first)
        #expect(warning.contains(#"httpClient.maxConnections is "0"; allowed: a whole number from 1 to 1000000"#))
        #expect(warning.contains(#"httpClient.timeout is "soon"; allowed: seconds"#))

        try file.write(#"{"httpClient": {"#)
        run.signal(SIGHUP)
        try await eventually("the broken file is told") { self.warnings(run).count == 2 }
        #expect(warnings(run).last?.contains("it is not valid JSON") == true)

        let after = try await metrics(said)
        #expect(after.value("http_client_pool_max_connections", ["pool": "shared"]) == 20)
        #expect(after.value(Self.changes, ["pool": "shared"]) == 0)
        #expect(after.value(Self.changed, ["pool": "shared"]) == made)
        try await end(run)
    }

    @Test("puts the limits of the file in force when it changes and SIGHUP comes, while requests run")
    func reload() async throws {
        let file = try SettingsFile(#"{"httpClient": {"maxConnections": 20, "poolTimeout": 20}}"#)
        let (run, said) = try await start(file, "--concurrency", "32")
        try await eventually("all connections are in use") {
            try await self.metrics(said).sum("http_client_pool_connections", ["state": "active"]) == 20
        }
        let before = Date().timeIntervalSince1970
        try file.write(#"{"httpClient": {"maxConnections": 4, "poolTimeout": 20, "readTimeout": 7}}"#)
        run.signal(SIGHUP)
        try await eventually("the limits are in force") {
            try await self.metrics(said).value("http_client_pool_max_connections", ["pool": "shared"]) == 4
        }
        try await eventually("no more connections are left than may be") {
            try await self.metrics(said).sum("http_client_pool_connections") <= 4
        }
        let after = try await metrics(said)
        #expect(after.value(Self.changes, ["pool": "shared"]) == 1)
        let moment = try #require(after.value(Self.changed, ["pool": "shared"]))
        #expect(moment >= before && moment <= Date().timeIntervalSince1970)
        func sources(_ setting: String) -> [String?] {
            after.all("http_client_pool_config_source", ["setting": setting]).map { $0.labels["source"] }
        }
        #expect(sources("max_connections") == ["reload"])
        #expect(sources("read_timeout_seconds") == ["reload"])
        #expect(sources("acquire_timeout_seconds") == ["file"])
        #expect(sources("metrics_port").isEmpty)
        let list =
            "limits changed: httpClient.maxConnections from 20 to 4, httpClient.maxKeepalive from 20 to 4, "
            + "httpClient.readTimeout from 30.0 s to 7.0 s"
        try await eventually("it is logged") { run.errors.contains(list) }
        let page = try await curl("--fail", try #require(said["status"]) + "config")
        #expect(page.output.contains("set by: reload, key httpClient.maxConnections"), "\(page.output)")

        // Raised again, those who wait are served at once.
        try file.write(#"{"httpClient": {"maxConnections": 30, "poolTimeout": 20}}"#)
        run.signal(SIGHUP)
        try await eventually("the new connections are in use") {
            try await self.metrics(said).sum("http_client_pool_connections", ["state": "active"]) > 20
        }
        #expect(try await metrics(said).value(Self.changes, ["pool": "shared"]) == 2)
        // The timeout that the file no longer has.
        #expect(warnings(run).count == 1, "\(run.errors)")
        #expect(warnings(run).first?.contains("httpClient.readTimeout, now 30.0 s") == true)
        try await end(run)
    }

    /// Starts the tool and waits until it follows the file.
    private func start(_ file: SettingsFile, _ arguments: String...) async throws -> (run: Program, said: ToolReport) {
        let (run, said) = try await Tool.startRun(["--config", file.path] + arguments)
        try await eventually("the file is followed") { run.errors.contains("limits follow the configuration") }
        return (run, said)
    }

    private func end(_ run: Program) async throws {
        run.signal(SIGINT)
        let result = try await run.end()
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }

    /// What is said of the settings. A slow machine is saturated for long enough to be warned of as well.
    private func warnings(_ run: Program) -> [String] {
        run.errors.split(separator: "\n").filter { $0.contains(" warning ") && !$0.contains(" saturated: ") }
            .map(String.init)
    }

    private func metrics(_ said: ToolReport) async throws -> ExpositionReader {
        try await scrapes.scrape(try #require(said["metrics"]))
    }
}
