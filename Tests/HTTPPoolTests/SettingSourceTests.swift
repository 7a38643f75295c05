import Configuration
import Testing

@testable import HTTPPool

/// A provider that has other words for its errors than swift-configuration.
private struct OddProvider: ConfigProvider, ConfigSnapshot {
    struct Refusal: Error, CustomStringConvertible {
        // What the library says of a value that is not there.
        let description = "Missing required config value for key: httpClient.maxConnections."
    }

    let providerName = "odd"

    func value(forKey key: AbsoluteConfigKey, type: ConfigType) throws -> LookupResult {
        if key.components.last == "maxConnections" { throw Refusal() }
        return LookupResult(encodedKey: key.description, value: nil)
    }

    func fetchValue(forKey key: AbsoluteConfigKey, type: ConfigType) async throws -> LookupResult {
        try value(forKey: key, type: type)
    }

    func watchValue<Return: ~Copyable>(
        forKey key: AbsoluteConfigKey,
        type: ConfigType,
        updatesHandler: (ConfigUpdatesAsyncSequence<Result<LookupResult, any Error>, Never>) async throws -> Return
    ) async throws -> Return {
        try await watchValueFromValue(forKey: key, type: type, updatesHandler: updatesHandler)
    }

    func snapshot() -> any ConfigSnapshot { self }

    func watchSnapshot<Return: ~Copyable>(
        updatesHandler: (ConfigUpdatesAsyncSequence<any ConfigSnapshot, Never>) async throws -> Return
    ) async throws -> Return {
        try await watchSnapshotFromSnapshot(updatesHandler: updatesHandler)
    }
}

@Suite("The source of a setting")
struct SettingSourceTests {
    private func environment(_ variables: [String: String]) -> EnvironmentVariablesProvider {
        EnvironmentVariablesProvider(environmentVariables: variables)
    }

    private func problems(_ read: () throws(ConfigurationError) -> Void) -> [ConfigurationError.Problem] {
        do {
            try read()
            return []
        } catch {
            return error.problems
        }
    }

    @Test("is the provider that has the value, by the name that this gives it, whatever the others have")
    func providers() throws {
        let limits = InMemoryProvider(
            name: "limits",
            values: ["httpClient.maxConnections": 50, "httpClient.maxQueued": 5]
        )
        let variables = environment(["HTTP_CLIENT_MAX_CONNECTIONS": "50", "HTTP_CLIENT_READ_TIMEOUT": "3"])
        let first = try PoolConfiguration(config: ConfigReader(providers: [variables, limits]))
        #expect(first.source(of: .maxConnections) == .environment("HTTP_CLIENT_MAX_CONNECTIONS"))
        #expect(first.source(of: .maxQueuedRequests) == .provider("InMemoryProvider[limits]", "httpClient.maxQueued"))
        #expect(first.source(of: .maxQueuedRequests).description == "httpClient.maxQueued (InMemoryProvider[limits])")
        let last = try PoolConfiguration(config: ConfigReader(providers: [limits, variables]))
        #expect(last.source(of: .maxConnections).kind == .provider)
        #expect(last.source(of: .readTimeout) == .environment("HTTP_CLIENT_READ_TIMEOUT"))
    }

    @Test("is in the scope of the reader, and so is what an error names")
    func scope() throws {
        let good = ConfigReader(provider: environment(["HEALTH_HTTP_CLIENT_MAX_CONNECTIONS": "4"])).scoped(to: "health")
        let configuration = try PoolConfiguration(config: good)
        #expect(configuration.limits.maxConnections == 4)
        #expect(configuration.source(of: .maxConnections) == .environment("HEALTH_HTTP_CLIENT_MAX_CONNECTIONS"))
        #expect(configuration.source(of: .readTimeout).name == "HEALTH_HTTP_CLIENT_READ_TIMEOUT", "what would set it")

        let wrong = [environment(["HEALTH_HTTP_CLIENT_MAX_CONNECTIONS": "x"])]
        let values = InMemoryProvider(values: ["health.httpClient.timeout": "soon"])
        let config = ConfigReader(providers: wrong + [values]).scoped(to: "health")
        let found = problems { () throws(ConfigurationError) in _ = try PoolConfiguration(config: config) }
        #expect(found.map(\.name) == ["HEALTH_HTTP_CLIENT_MAX_CONNECTIONS", "health.httpClient.timeout"])
    }

    @Test("of a default names the variable, the key or the property that would set it")
    func defaults() throws {
        let both = ConfigReader(providers: [environment([:]), InMemoryProvider(values: [:])])
        #expect(try PoolConfiguration(config: both).source(of: .proxy).description == "default HTTP_CLIENT_PROXY")
        let file = ConfigReader(provider: InMemoryProvider(values: [:]))
        #expect(try PoolConfiguration(config: file).source(of: .proxy).description == "default httpClient.proxy")
        #expect(PoolConfiguration().source(of: .proxy).description == "default transport.proxy")
        #expect(PoolConfiguration().source(of: .proxy) == .default)
    }

    @Test("names the provider in errors, where it is neither the environment nor a file")
    func errors() {
        let values = InMemoryProvider(name: "limits", values: ["httpClient.maxConnections": 0])
        let found = problems { () throws(ConfigurationError) in
            _ = try PoolConfiguration(config: ConfigReader(provider: values))
        }
        let text =
            "httpClient.maxConnections (InMemoryProvider[limits]) is \"0\"; allowed: a whole number from 1 to 1000000"
        #expect(found.map(\.description) == [text])
    }

    @Test("a value that its provider marks as a secret is not shown where it is wrong")
    func secret() {
        let secret = ConfigValue("sesame", isSecret: true)
        let found = problems { () throws(ConfigurationError) in
            _ = try read(values: ["httpClient.maxConnections": secret])
        }
        #expect(found.map(\.value) == ["(hidden)"])
    }

    @Test("a value that cannot be read is an error and never a default, whatever the words of the provider's error")
    func missingOrWrong() {
        let found = problems { () throws(ConfigurationError) in
            _ = try PoolConfiguration(config: ConfigReader(providers: [environment([:]), OddProvider()]))
        }
        #expect(found.map(\.name) == ["httpClient.maxConnections"])
        #expect(found.map(\.value) == ["neither text nor a number"])
    }

    @Test("the providers of a reader are known: where this fails, swift-configuration keeps them elsewhere")
    func known() {
        let reader = ConfigReader(providers: [environment([:]), InMemoryProvider(values: [:])]).scoped(to: "health")
        let providers = SettingProviders(reader.snapshot())
        #expect(providers.areKnown)
        #expect(providers.naming == .variables("HEALTH_HTTP_CLIENT"))
    }

    @Test("where nothing is known of the providers, values are read all the same, with the reader as their source")
    func unknownProviders() {
        func reading(_ values: [AbsoluteConfigKey: ConfigValue]) -> SettingsReading {
            SettingsReading(ConfigReader(provider: InMemoryProvider(values: values)).snapshot(), SettingProviders([]))
        }
        let read = reading(["httpClient.maxConnections": 50, "httpClient.http2": "negotiated"])
        #expect(read.problems.isEmpty)
        let pool = read.configuration.pool
        #expect(pool.limits.maxConnections == 50)
        #expect(pool.source(of: .maxConnections) == .provider("ConfigReader", "httpClient.maxConnections"))
        #expect(pool.source(of: .readTimeout) == .default)
        let list = ConfigValue(.intArray([1]), isSecret: false)
        #expect(reading(["httpClient.maxConnections": list]).problems.map(\.value) == ["neither text nor a number"])
    }
}

@Suite("A name that is not a setting")
struct UnknownSettingTests {
    @Test("is refused under httpClient, with the nearest that is one")
    func keys() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try read(values: [
                "httpClient.maxConnectons": 40, "httpClient.timeuot": 3, "httpClient.proxy.host": "a",
                "httpClient.colour": "red", "httpClient.metricsPort": 0, "other.maxConnectons": 4,
            ])
        }
        let texts = error.problems.map { $0.description.replacing(" (InMemoryProvider[])", with: "") }
        #expect(
            texts == [
                "httpClient.colour is not a setting",
                "httpClient.maxConnectons is not a setting; did you mean httpClient.maxConnections?",
                "httpClient.proxy.host is not a setting; did you mean httpClient.proxy?",
                "httpClient.timeuot is not a setting; did you mean httpClient.timeout?",
            ]
        )
    }

    @Test("is warned of in the environment, which is not ours alone")
    func variables() throws {
        let configuration = try read([
            "HTTP_CLIENT_MAX_CONNECTONS": "sesame", "HTTP_CLIENT_SERVICE_HOST": "10.0.0.1", "HTTP_CLIENT": "x",
            "HTTP_CLIENT_METRICS_PORT": "0", "OTHER_HTTP_CLIENT_TIMEUOT": "3", "HTTPCLIENT_TIMEOUT": "3",
            "PATH": "/bin",
        ])
        #expect(configuration == PoolConfiguration())
        let texts = configuration.warnings(descriptorLimit: nil).map(\.description)
        #expect(
            texts == [
                "HTTPCLIENT_TIMEOUT is not a setting; did you mean HTTP_CLIENT_TIMEOUT?",
                "HTTP_CLIENT_MAX_CONNECTONS is not a setting; did you mean HTTP_CLIENT_MAX_CONNECTIONS?",
                "HTTP_CLIENT_SERVICE_HOST is not a setting; did you mean HTTP_CLIENT_METRICS_HOST?",
            ]
        )
    }

    @Test("is refused where the group is misspelt, once for the group, and not where it is another")
    func group() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try read(values: ["httpclient.maxConnections": 40, "httpclient.timeout": 3, "httpServer.timeout": 3])
        }
        #expect(
            error.problems.map(\.description) == [
                "httpclient (InMemoryProvider[]) is not a setting; did you mean httpClient?"
            ]
        )
    }

    @Test("leaves everything as it is where it comes with a reload")
    func reload() throws {
        func snapshot(_ values: [AbsoluteConfigKey: ConfigValue]) -> ConfigSnapshotReader {
            ConfigReader(provider: InMemoryProvider(values: values)).snapshot()
        }
        let start = try PoolConfiguration(snapshot: snapshot(["httpClient.maxConnections": 40]))
        #expect(throws: ConfigurationError.self) {
            try start.reloaded(from: snapshot(["httpClient.maxConnectons": 40]))
        }
    }

    @Test("a key that is gone is known")
    func gone() throws {
        let values: [AbsoluteConfigKey: ConfigValue] = ["httpClient.maxConnections": 40, "httpClient.maxQueued": 5]
        let start = try read(values: values)
        let next = try start.reloaded(
            from: ConfigReader(provider: InMemoryProvider(values: ["httpClient.maxQueued": 5])).snapshot()
        )
        #expect(start.settingsGone(in: next) == [.maxConnections])
    }

    @Test(
        "is compared by the steps from one to the other",
        arguments: [
            ("maxConnectons", "maxConnections"), ("MAXCONNECTIONS", "maxConnections"), ("poolTimoeut", "poolTimeout"),
        ]
    )
    func nearest(text: String, name: String) {
        #expect(text.nearest(of: PoolSetting.table.map(\.key)) == name)
        #expect("colour".nearest(of: PoolSetting.table.map(\.key)) == nil)
        #expect("".nearest(of: []) == nil)
    }
}
