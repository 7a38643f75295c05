import Configuration
import HTTPPool
import Testing

@Suite("A configuration that is read again")
struct ReloadedConfigurationTests {
    private let provider = "InMemoryProvider[]"

    /// What a reader says of a file with these values, and an environment with those.
    private func snapshot(
        _ values: [AbsoluteConfigKey: ConfigValue],
        _ variables: [String: String] = [:]
    ) -> ConfigSnapshotReader {
        let environment = EnvironmentVariablesProvider(environmentVariables: variables)
        return ConfigReader(providers: [environment, InMemoryProvider(values: values)]).snapshot()
    }

    private func problems(
        of configuration: PoolConfiguration,
        _ snapshot: ConfigSnapshotReader
    ) -> [ConfigurationError.Problem] {
        do throws(ConfigurationError) {
            _ = try configuration.reloaded(from: snapshot)
            return []
        } catch {
            return error.problems
        }
    }

    @Test("marks what has another value as reloaded, by its key, and nothing else")
    func changed() throws {
        let variables = ["HTTP_CLIENT_READ_TIMEOUT": "7"]
        let start = try PoolConfiguration(
            snapshot: snapshot(["httpClient.maxConnections": 80, "httpClient.timeout": 9], variables)
        )
        #expect(start.source(of: .maxConnections) == .provider(provider, "httpClient.maxConnections"))
        #expect(start.source(of: .readTimeout) == .environment("HTTP_CLIENT_READ_TIMEOUT"))
        let values: [AbsoluteConfigKey: ConfigValue] = [
            "httpClient.maxConnections": 60, "httpClient.timeout": 9, "httpClient.maxQueued": 5,
        ]
        let next = try start.reloaded(from: snapshot(values, variables))
        #expect(next.limits.maxConnections == 60)
        #expect(next.limits.maxIdleConnections == 60)
        let expected: [PoolSetting: PoolSetting.Source] = [
            .maxConnections: .reload("httpClient.maxConnections", provider: provider),
            .maxQueuedRequests: .reload("httpClient.maxQueued", provider: provider),
            .acquireTimeout: .provider(provider, "httpClient.timeout"),
            .writeTimeout: .provider(provider, "httpClient.timeout"),
            .readTimeout: .environment("HTTP_CLIENT_READ_TIMEOUT"),
        ]
        for setting in PoolSetting.all { #expect(next.source(of: setting) == expected[setting] ?? .default) }
        #expect(next.source(of: .maxConnections).description == "httpClient.maxConnections (reload)")
    }

    @Test("takes another order of the queue, and names its key")
    func queueOrder() throws {
        let start = try PoolConfiguration(snapshot: snapshot([:]))
        let next = try start.reloaded(from: snapshot(["httpClient.queueOrder": "fifo"]))
        #expect(next.limits.queueOrder == .fifo)
        #expect(next.source(of: .queueOrder) == .reload("httpClient.queueOrder", provider: provider))
        #expect(next.value(of: .queueOrder).description == "fifo")
    }

    @Test("is the same where nothing changed, also after a change")
    func unchanged() throws {
        let start = try PoolConfiguration(snapshot: snapshot(["httpClient.maxConnections": 80]))
        #expect(try start.reloaded(from: snapshot(["httpClient.maxConnections": 80])) == start)
        let next = try start.reloaded(from: snapshot(["httpClient.maxConnections": 60]))
        #expect(try next.reloaded(from: snapshot(["httpClient.maxConnections": 60])) == next)
    }

    @Test("goes back to the default where nobody says anything any more")
    func removed() throws {
        let start = try PoolConfiguration(snapshot: snapshot(["httpClient.maxConnections": 80]))
        #expect(try start.reloaded(from: snapshot([:])) == PoolConfiguration())
    }

    @Test("keeps what the code set, as a restart would")
    func code() throws {
        var start = try PoolConfiguration(snapshot: snapshot(["httpClient.maxConnections": 80]))
        start.limits.maxIdleConnections = 7
        start.timeouts.read = .seconds(3)
        let values: [AbsoluteConfigKey: ConfigValue] = ["httpClient.maxConnections": 60, "httpClient.readTimeout": 4]
        let next = try start.reloaded(from: snapshot(values))
        #expect(next.limits.maxConnections == 60)
        #expect(next.limits.maxIdleConnections == 7)
        #expect(next.timeouts.read == .seconds(3))
        #expect(next.source(of: .readTimeout) == .code)
        let lower = problems(of: start, snapshot(["httpClient.maxConnections": 5]))
        #expect(lower.map(\.name) == ["limits.maxIdleConnections"])
        #expect(lower.map(\.allowed) == ["at most httpClient.maxConnections (5)"])
    }

    @Test("an idle limit that is said now, and was the default of as many, does not follow")
    func idle() throws {
        let start = try PoolConfiguration(snapshot: snapshot(["httpClient.maxConnections": 60]))
        let values: [AbsoluteConfigKey: ConfigValue] = ["httpClient.maxConnections": 80, "httpClient.maxKeepalive": 60]
        let next = try start.reloaded(from: snapshot(values))
        #expect(next.limits.maxIdleConnections == 60)
        #expect(next.source(of: .maxIdleConnections) == .provider(provider, "httpClient.maxKeepalive"))
    }

    @Test("names every wrong key, with its value and what is allowed")
    func wrong() {
        let found = problems(
            of: PoolConfiguration(),
            snapshot(["httpClient.maxConnections": 0, "httpClient.timeout": "soon", "httpClient.proxy": "http://a:b@"])
        )
        #expect(found.map(\.name) == ["httpClient.maxConnections", "httpClient.timeout", "httpClient.proxy"])
        #expect(found.map(\.value) == ["0", "soon", "(hidden)"])
    }

    @Test("refuses another transport, and says which setting and what is in force")
    func transport() throws {
        let values: [AbsoluteConfigKey: ConfigValue] = ["httpClient.proxy": "http://user:sesame@p:1"]
        let start = try PoolConfiguration(snapshot: snapshot(values))
        #expect(try start.reloaded(from: snapshot(values)) == start)
        // Only the password is another.
        let others: [AbsoluteConfigKey: ConfigValue] = [
            "httpClient.proxy": "http://user:open@p:1", "httpClient.http2": "negotiated",
        ]
        let found = problems(of: start, snapshot(others))
        #expect(found.map(\.name) == ["httpClient.http2", "httpClient.proxy"])
        #expect(found.map(\.value) == ["negotiated", "http://(hidden)@p:1"])
        #expect(found.last?.allowed == "http://(hidden)@p:1 as at the start; it does not change while the process runs")
        #expect(problems(of: start, snapshot([:])).map(\.value) == ["none"])

        var code = PoolConfiguration()
        code.transport.http2 = .negotiated
        let next = try code.reloaded(from: snapshot(["httpClient.maxConnections": 9]))
        #expect(next.transport == code.transport)
        #expect(next.source(of: .http2) == .code)
    }
}
