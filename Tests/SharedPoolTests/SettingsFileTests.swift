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
        #expect(try await problems(#"{"httpClient": 5}"#) == ["httpClient is not a setting"])
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
}
