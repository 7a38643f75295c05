import Configuration
import HTTPPool
import SharedPool
import SystemPackage
import TestSupport
import Testing

@Suite("Settings from a file")
struct SettingsFileTests {
    private let environment = EnvironmentVariablesProvider(environmentVariables: [:])

    private func problems(_ text: String) async throws -> [String] {
        let file = try SettingsFile(text)
        let provider = try await FileProvider<SettingsSnapshot>(filePath: FilePath(file.path))
        do throws(ConfigurationError) {
            _ = try PoolConfiguration(config: ConfigReader(providers: [environment, provider]))
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test("have the file as their source, by its key, whichever way it is read")
    func source() async throws {
        let file = try SettingsFile(#"{"httpClient": {"maxConnections": 50}}"#)
        let path = FilePath(file.path)
        let providers: [any ConfigProvider] = [
            try await FileProvider<JSONSnapshot>(filePath: path),
            try await ReloadingFileProvider<JSONSnapshot>(filePath: path),
            try await ReloadingFileProvider<SettingsSnapshot>(filePath: path),
        ]
        for provider in providers {
            let configuration = try PoolConfiguration(config: ConfigReader(providers: [environment, provider]))
            #expect(configuration.source(of: .maxConnections) == .file("httpClient.maxConnections"))
            #expect(configuration.source(of: .maxConnections).description == "httpClient.maxConnections (file)")
        }
    }

    @Test("are errors by the file's key where they are wrong")
    func wrong() async throws {
        let text = #"httpClient.maxConnections is "0"; allowed: a whole number from 1 to 1000000"#
        #expect(try await problems(#"{"httpClient": {"maxConnections": 0}}"#) == [text])
    }

    @Test(
        "that are neither text nor a number are errors, and not nothing or 1",
        arguments: ["{}", "null", "true", "[]", "[1]"]
    )
    func shape(value: String) async throws {
        let found = try await problems(#"{"httpClient": {"proxy": \#(value), "maxConnections": \#(value)}}"#)
        #expect(found.count == 2)
        #expect(found.allSatisfy { $0.contains(#" is "neither text nor a number"; allowed: "#) }, "\(found)")
    }

    @Test("that stand in place of their group are an error, and a group without any is not")
    func group() async throws {
        let text = "httpClient must be an object that holds the settings, and not a value"
        for value in ["5", "true", #""text""#, "[1]"] {
            #expect(try await problems(#"{"httpClient": \#(value)}"#) == [text], "\(value)")
        }
        #expect(try await problems(#"{"httpClient": {}, "other": {"proxy": {}, "is": true, "list": [1]}}"#) == [])
    }

    @Test("leave alone what is not theirs in the file")
    func others() async throws {
        let file = try SettingsFile(#"{"feature": {"is": true, "ids": [1, 2]}, "httpClient": {"timeout": 1.5}}"#)
        let config = ConfigReader(provider: try await FileProvider<SettingsSnapshot>(filePath: FilePath(file.path)))
        #expect(config.bool(forKey: "feature.is") == true)
        #expect(config.intArray(forKey: "feature.ids") == [1, 2])
        #expect(try PoolConfiguration(config: config).timeouts.read == .milliseconds(1500))
    }

    @Test(
        "are refused at the root of the file and in a misspelt group, with the nearest that is right",
        arguments: [
            (#"{"maxConnections": 4}"#, "maxConnections", "httpClient.maxConnections"),
            (#"{"feature": {"is": true}, "maxConnectons": 4}"#, "maxConnectons", "httpClient.maxConnections"),
            (#"{"httpclient": {"maxConnections": 4}}"#, "httpclient", "httpClient"),
            (#"{"httpClients": {"maxConnections": 4}, "httpClient": {"timeout": 2}}"#, "httpClients", "httpClient"),
        ]
    )
    func misplaced(text: String, name: String, nearest: String) async throws {
        #expect(try await problems(text) == ["\(name) is not a setting; did you mean \(nearest)?"])
        let file = try SettingsFile(text)
        let provider = try await FileProvider<JSONSnapshot>(filePath: FilePath(file.path))
        let error = try #require(throws: ConfigurationError.self) {
            try PoolConfiguration(config: ConfigReader(providers: [environment, provider]))
        }
        #expect(error.problems.map(\.name) == [name])
    }

    @Test("are missed in a file that has none of them, which is a warning")
    func missing() async throws {
        func warnings(_ text: String) async throws -> [String] {
            let file = try SettingsFile(text)
            let path = FilePath(file.path)
            let providers: [any ConfigProvider] = [
                try await FileProvider<SettingsSnapshot>(filePath: path),
                try await FileProvider<JSONSnapshot>(filePath: path),
            ]
            return try providers.flatMap { provider in
                try PoolConfiguration(config: ConfigReader(providers: [environment, provider]))
                    .warnings(descriptorLimit: nil).map(\.description)
            }
        }
        let missing = "the settings file has no object httpClient, so none of its values is a setting"
        #expect(try await warnings("{}") == [missing, missing])
        #expect(try await warnings(#"{"feature": {"is": true}}"#) == [missing, missing])
        #expect(try await warnings(#"{"httpClient": {"timeout": 2}}"#) == [])
        // What JSONSnapshot has of an empty object is nothing.
        #expect(try await warnings(#"{"httpClient": {}}"#) == [missing])
        let optional = try await FileProvider<SettingsSnapshot>(filePath: "/nonexistent", allowMissing: true)
        let configuration = try PoolConfiguration(config: ConfigReader(providers: [environment, optional]))
        #expect(configuration.warnings(descriptorLimit: nil).isEmpty)
    }
}

@Suite("A settings file that cannot be used")
struct SettingsFileErrorTests {
    /// What a service prints and ends with, for a file that is followed in either way.
    private func reports(_ path: String) async throws -> [(text: String, status: Int32)] {
        var reports: [(text: String, status: Int32)] = []
        let ways: [() async throws -> any ConfigProvider] = [
            { try await SettingsSnapshot.follow(path) },
            { try await ReloadingFileProvider<SettingsSnapshot>(filePath: FilePath(path)) },
            { try await ReloadingFileProvider<JSONSnapshot>(filePath: FilePath(path)) },
        ]
        for way in ways {
            do {
                _ = try await way()
                Issue.record("\(path) was read")
            } catch {
                reports.append(StartFailure.report(of: error))
            }
        }
        return reports
    }

    @Test("is named with the reason, and ends a service with 78", arguments: ["/nonexistent/pool.json", "/tmp"])
    func unreadable(path: String) async throws {
        let reason = path == "/tmp" ? "it cannot be read: Is a directory" : "no such file"
        for report in try await reports(path) {
            #expect(report.text == "settings file \(path): \(reason)")
            #expect(report.status == 78)
        }
    }

    @Test(
        "is not repeated where it is not JSON",
        arguments: [
            ("{\n  \"httpClient\": {\n    \"proxy\": sesame\n", "it is not valid JSON: an error at line 3, column 14"),
            ("", "it is not valid JSON: it is empty"), (#"{"a": "sesame""#, "it is not valid JSON: it ends too early"),
            ("[]", "it is not a JSON object"),
            (#"{"a": 0123456}"#, "it is not valid JSON: an error at line 1, column 8"),
        ]
    )
    func malformed(text: String, reason: String) async throws {
        let file = try SettingsFile(text)
        let reports = try await reports(file.path)
        #expect(reports.first?.text == "settings file \(file.path): \(reason)")
        #expect(reports.dropFirst().first?.text == "settings file: \(reason)")
        #expect(reports.allSatisfy { $0.status == 78 && !$0.text.contains("sesame") && !$0.text.contains("0123") })
        #expect(reports.allSatisfy { $0.text.contains("JSON") && !$0.text.contains("Domain") }, "\(reports)")
    }

    @Test("is no other error")
    func others() {
        #expect(StartFailure.report(of: TestFailure("other")).status == 1)
        #expect(StartFailure.report(of: ConfigurationError(problems: [])).status == 78)
        #expect(SettingsFileError(TestFailure("File not found at path: /a.")) == nil)
    }
}
