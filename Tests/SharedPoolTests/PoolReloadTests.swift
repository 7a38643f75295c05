import Configuration
import Foundation
import HTTPPool
import HTTPTypes
import Logging
import PoolMetrics
import ServiceLifecycle
import SharedPool
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite("Limits that follow a configuration", .serialized)
struct PoolReloadTests {
    @Test("are put in force when a provider says others, and the log says which")
    func follows() async throws {
        let provider = MutableInMemoryProvider(initialValues: ["httpClient.maxConnections": 80])
        try await withReload(of: ConfigReader(provider: provider)) { pool, client, log in
            try await eventually("what is said at the start is in force") {
                client.configuration.limits.maxConnections == 80
            }
            provider.setValue(9, forKey: "httpClient.maxConnections")
            try await eventually("what is said then is") { client.configuration.limits.maxConnections == 9 }
            try await eventually("it is logged") { log.lines.count == 3 }
            #expect(client.reading().configurationChanges == 2)
            #expect(
                client.configuration.source(of: .maxConnections)
                    == .reload("httpClient.maxConnections", provider: "MutableInMemoryProvider")
            )
            let list = "httpClient.maxConnections from 80 to 9, httpClient.maxKeepalive from 80 to 9"
            #expect(log.descriptions.last == "info limits changed: \(list)")
        }
    }

    @Test("stay as they are when something is wrong, which is one warning and no change")
    func wrong() async throws {
        let provider = MutableInMemoryProvider(initialValues: ["httpClient.maxConnections": 80])
        try await withReload(of: ConfigReader(provider: provider)) { pool, client, log in
            try await eventually("the start is in force") { pool.reconfigurations.count == 1 }
            try await eventually("the start is a success") { client.reading().lastReloadSucceeded == true }
            provider.setValue("many", forKey: "httpClient.maxConnections")
            try await eventually("it is warned of") { log.texts(.warning).count == 1 }
            #expect(client.reading().lastReloadSucceeded == false)
            #expect(client.reading().reloadFailures == 1)
            #expect(
                log.texts(.warning) == [
                    "limits unchanged: httpClient.maxConnections (MutableInMemoryProvider) is \"many\"; "
                        + "allowed: a whole number from 1 to 1000000"
                ]
            )
            provider.setValue(80, forKey: "httpClient.maxConnections")
            provider.setValue("negotiated", forKey: "httpClient.http2")
            try await eventually("another transport is warned of") { log.texts(.warning).count >= 2 }
            let refusal = "httpClient.http2 (MutableInMemoryProvider) is \"negotiated\"; allowed: off as at the start"
            #expect(log.texts(.warning).last?.contains(refusal) == true)
            provider.setValue("off", forKey: "httpClient.http2")
            provider.setValue(9000, forKey: "httpClient.metricsPort")
            let other = "httpClient.metricsPort (MutableInMemoryProvider) is \"9000\"; allowed: 9464 as at the start"
            try await eventually("another port of the endpoint is warned of") {
                log.texts(.warning).last?.contains(other) == true
            }
            #expect(pool.reconfigurations.count == 1)
            #expect(client.reading().configurationChanges == 1)
            #expect(client.configuration.limits.maxConnections == 80)
        }
    }

    @Test("stay as they are where the client cannot change, and the log says so")
    func fixedClient() async throws {
        let provider = MutableInMemoryProvider(initialValues: ["httpClient.maxConnections": 80])
        let log = LogLines()
        // Its limits are those of the client that reports to it.
        let fixed = PoolRecorder(backend: PoolBackend(library: "none", tls: "none"))
        let reload = PoolReload(fixed, config: ConfigReader(provider: provider), logger: log.logger(.info))
        try await running(reload) {
            try await eventually("it is warned of") { log.texts(.warning).count == 1 }
            #expect(log.texts(.warning).first?.contains("cannot be changed while it runs") == true)
        }
    }

    @Test("follow a file, which is read again by itself; a broken one is told once")
    func file() async throws {
        let file = try SettingsFile(#"{"httpClient": {"maxConnections": 80}}"#)
        let provider = try await ReloadingFileProvider<SettingsSnapshot>(filePath: FilePath(file.path))
        let environment = EnvironmentVariablesProvider(environmentVariables: [:])
        let looks = Looks()
        let config = ConfigReader(providers: [environment, provider], accessReporter: looks)
        try await withReload(of: config, interval: .milliseconds(5)) { pool, client, log in
            try await eventually("the start is in force") { client.configuration.limits.maxConnections == 80 }
            try file.write(#"{"httpClient": {"maxConnections": 12, "poolTimeout": 0.5}}"#)
            try await eventually("the change is in force") { client.configuration.limits.maxConnections == 12 }
            #expect(client.configuration.timeouts.acquire == .milliseconds(500))
            try file.write(#"{"httpClient": {"#)
            try await eventually("the broken file is told") { !log.texts(.warning).isEmpty }
            let before = looks.count
            try await eventually("it was looked at again") { looks.count > before + 3 }
            try file.write(#"{"httpClient": {"maxConnections": 13}}"#)
            try await eventually("the mended file is in force") {
                client.configuration.limits.maxConnections == 13
            }
            // The other is of the acquire timeout, which the mended file no longer has.
            try await eventually("what is gone is warned of") { log.texts(.warning).count == 2 }
            #expect(
                log.texts(.warning).first
                    == "limits unchanged: settings file: it is not valid JSON: it ends too early"
            )
            #expect(log.texts(.warning).last?.contains("httpClient.poolTimeout, now 30.0 s") == true)
            #expect(pool.reconfigurations.count == 3)
        }
    }

    @Test("stay as they are where a key of the file is misspelt, and a key that is gone is a warning")
    func misspelt() async throws {
        let file = try SettingsFile(#"{"httpClient": {"maxConnections": 80, "poolTimeout": 2}}"#)
        // The provider of swift-configuration, as a service has it that reads more than these settings from the file.
        let provider = try await ReloadingFileProvider<JSONSnapshot>(filePath: FilePath(file.path))
        let config = ConfigReader(providers: [EnvironmentVariablesProvider(environmentVariables: [:]), provider])
        try await withReload(of: config, interval: .milliseconds(5)) { pool, client, log in
            try await eventually("the start is in force") { client.configuration.limits.maxConnections == 80 }
            try file.write(#"{"httpClient": {"maxConnectons": 40, "poolTimeout": 2}}"#)
            try await eventually("it is warned of") { log.texts(.warning).count == 1 }
            let typo = "httpClient.maxConnectons is not a setting; did you mean httpClient.maxConnections?"
            #expect(log.texts(.warning) == ["limits unchanged: \(typo)"])
            #expect(client.configuration.limits.maxConnections == 80)
            try file.write(#"{"httpClient": {"maxConnections": 80}}"#)
            try await eventually("what is gone is warned of") { log.texts(.warning).count == 2 }
            #expect(
                log.texts(.warning).last?.hasSuffix("defaults are in force: httpClient.poolTimeout, now 30.0 s") == true
            )
            #expect(client.configuration.timeouts.acquire == .seconds(30))
        }
    }

    /// As blazing-Gael/dcms #35 and agent-sh/agnix #1152: one letter puts all defaults in force.
    @Test(
        "stay as they are where the file's group is misspelt, or a setting is at its root",
        arguments: [
            (#"{"httpclient": {"maxConnections": 40}}"#, "httpclient", "httpClient"),
            (#"{"httpClients": {"maxConnections": 40}}"#, "httpClients", "httpClient"),
            (#"{"maxConnections": 40}"#, "maxConnections", "httpClient.maxConnections"),
        ]
    )
    func misplaced(text: String, name: String, nearest: String) async throws {
        let file = try SettingsFile(#"{"httpClient": {"maxConnections": 80}}"#)
        let provider = try await SettingsSnapshot.follow(file.path)
        let config = ConfigReader(providers: [EnvironmentVariablesProvider(environmentVariables: [:]), provider])
        try await withReload(of: config, interval: .milliseconds(5)) { pool, client, log in
            try await eventually("the start is in force") { client.configuration.limits.maxConnections == 80 }
            try file.write(text)
            try await eventually("it is warned of") { !log.texts(.warning).isEmpty }
            #expect(log.texts(.warning) == ["limits unchanged: \(name) is not a setting; did you mean \(nearest)?"])
            #expect(client.configuration.limits.maxConnections == 80)
            #expect(pool.reconfigurations.count == 1)
        }
    }

    /// As deblasis/wintty #1138 (a file that is empty while it is written) and apache/skywalking-horizon-ui #124 (one
    /// that is gone): both reset to defaults.
    @Test("stay as they are while the file is empty or gone", arguments: [true, false])
    func vanished(isEmpty: Bool) async throws {
        let file = try SettingsFile(#"{"httpClient": {"maxConnections": 80}}"#)
        let provider = try await SettingsSnapshot.follow(file.path)
        try await withReload(of: ConfigReader(provider: provider), interval: .milliseconds(5)) { pool, client, log in
            try await eventually("the start is in force") { client.configuration.limits.maxConnections == 80 }
            if isEmpty { try file.write("") } else { unlink(file.path) }
            try await eventually("it is warned of") { !log.texts(.warning).isEmpty }
            let reason =
                isEmpty
                ? "settings file: it is not valid JSON: it is empty" : "settings file \(file.path): no such file"
            #expect(log.texts(.warning) == ["limits unchanged: \(reason)"])
            try file.write(#"{"httpClient": {"maxConnections": 70}}"#)
            try await eventually("the next file is in force") { client.configuration.limits.maxConnections == 70 }
        }
    }

    @Test("are warned of at the start and later, once, where a file that is followed has none of them")
    func withoutGroup() async throws {
        let file = try SettingsFile(#"{"feature": {"on": true}}"#)
        let provider = try await SettingsSnapshot.follow(file.path)
        try await withReload(of: ConfigReader(provider: provider), interval: .milliseconds(5)) { pool, client, log in
            let missing = "the settings file has no object httpClient, so none of its values is a setting"
            try await eventually("it is warned of at the start") { log.texts(.warning) == [missing] }
            try file.write(#"{"httpClient": {"maxConnections": 70}}"#)
            try await eventually("the next file is in force") { client.configuration.limits.maxConnections == 70 }
            #expect(log.texts(.warning) == [missing])
            try file.write(#"{"feature": {"on": false}}"#)
            try await eventually("it is warned of again") { log.texts(.warning).count == 3 }
            #expect(log.texts(.warning)[1] == missing)
            #expect(log.texts(.warning)[2].hasSuffix("defaults are in force: httpClient.maxConnections, now 200"))
            try file.write(#"{"feature": {"on": true}, "a": 1}"#)
            try file.write(#"{"httpClient": {"maxConnections": 60}}"#)
            try await eventually("the last file is in force") { client.configuration.limits.maxConnections == 60 }
            #expect(log.texts(.warning).count == 3)
        }
    }

    @Test("follow a file that is read again at once on SIGHUP")
    func hangup() async throws {
        let file = try SettingsFile(#"{"httpClient": {"maxConnections": 80}}"#)
        let provider = try await ReloadingFileProvider<SettingsSnapshot>(filePath: FilePath(file.path))
        try await withReload(of: ConfigReader(provider: provider)) { pool, client, log in
            try await eventually("the signal is waited for") { !log.lines.isEmpty }
            try file.write(#"{"httpClient": {"maxConnections": 12}}"#)
            kill(getpid(), SIGHUP)
            try await eventually("the change is in force") { client.configuration.limits.maxConnections == 12 }
        }
    }

    /// A measured fake pool whose limits follow a configuration.
    private func withReload(
        of config: ConfigReader,
        interval: Duration = .seconds(3600),
        _ body: (FakePool, InstrumentedClient, LogLines) async throws -> Void
    ) async throws {
        let pool = FakePool()
        let client = try InstrumentedClient(pool, registry: PoolRegistry())
        let log = LogLines()
        let reload = PoolReload(client, config: config, interval: interval, logger: log.logger(.info))
        try await running(reload) { try await body(pool, client, log) }
    }

    /// Runs a service in a group, and ends it as a group does.
    private func running(_ service: any Service, _ body: () async throws -> Void) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let group = ServiceGroup(services: [service], logger: logger)
        let run = Task { try await group.run() }
        do {
            try await body()
        } catch {
            run.cancel()
            throw error
        }
        await group.triggerGracefulShutdown()
        try await run.value
    }
}

/// How often providers were asked for news.
private final class Looks: AccessReporter {
    private let fetches = Atomic<Int>(0)

    var count: Int { fetches.load(ordering: .relaxed) }

    func report(_ event: AccessEvent) {
        if event.metadata.accessKind == .fetch { fetches.add(1, ordering: .relaxed) }
    }
}
