import HTTPPool
import Testing

@Suite("A configuration")
struct ConfigurationTests {
    @Test("names the code as the source of what the code changed, and of nothing else")
    func changedByCode() throws {
        var configuration = try read(["HTTP_CLIENT_CONNECT_TIMEOUT": "3"])
        configuration.limits.maxQueuedRequests = 5
        configuration.timeouts.total = .seconds(60)
        #expect(configuration.source(of: .maxQueuedRequests) == .code)
        #expect(configuration.source(of: .totalTimeout) == .code)
        #expect(configuration.source(of: .totalTimeout).description == "code")
        #expect(configuration.source(of: .connectTimeout) == .environment("HTTP_CLIENT_CONNECT_TIMEOUT"))
        #expect(configuration.source(of: .maxConnections) == .default)
        configuration.timeouts.connect = .seconds(4)
        #expect(configuration.source(of: .connectTimeout) == .code)
    }

    @Test("keeps the source of a value that is set to what it was")
    func unchanged() throws {
        var configuration = try read(["HTTP_CLIENT_MAX_CONNECTIONS": "300"])
        configuration.limits.maxConnections = 300
        configuration.timeouts = configuration.timeouts
        #expect(configuration.source(of: .maxConnections) == .environment("HTTP_CLIENT_MAX_CONNECTIONS"))
        #expect(configuration.source(of: .readTimeout) == .default)
    }

    @Test("is checked against the same rules when the code made it")
    func checked() throws {
        var configuration = PoolConfiguration()
        try configuration.validate()
        configuration.limits.maxConnections = 0
        configuration.limits.maxConnectionsPerOrigin = -1
        configuration.limits.maxQueuedRequests = -1
        configuration.limits.keepaliveExpiry = .seconds(-1)
        configuration.timeouts.read = .zero
        configuration.timeouts.total = .seconds(31_536_001)
        let error = try #require(throws: ConfigurationError.self) { try configuration.validate() }
        let settings: [PoolSetting] = [
            .maxConnections, .maxConnectionsPerOrigin, .maxQueuedRequests, .keepaliveExpiry, .readTimeout,
            .totalTimeout,
        ]
        #expect(error.problems.map(\.name) == settings.map(\.property))
        #expect(error.problems.first?.description.hasPrefix("limits.maxConnections is \"0\"; allowed: ") == true)
    }

    @Test("shows values as metrics and as people read them")
    func values() {
        #expect(PoolSetting.Value.count(200).asDouble == 200)
        #expect(PoolSetting.Value.duration(.milliseconds(1500)).asDouble == 1.5)
        #expect(PoolSetting.Value.count(200).description == "200")
        #expect(PoolSetting.Value.duration(.seconds(30)).description == "30.0 s")
    }
}

@Suite("The limit of idle connections")
struct IdleLimitTests {
    @Test("follows the limit of connections down and up again, up to 100, while nobody sets it")
    func follows() {
        var configuration = PoolConfiguration()
        for (connections, idle) in [(10, 10), (1, 1), (99, 99), (100, 100), (500, 100), (50, 50), (200, 100)] {
            configuration.limits.maxConnections = connections
            #expect(configuration.limits.maxIdleConnections == idle)
            #expect(configuration.source(of: .maxIdleConnections) == .default)
        }
        configuration.limits.maxConnections = -5
        #expect(configuration.limits.maxIdleConnections == 0)
    }

    @Test("follows the variable of connections too")
    func followsVariable() throws {
        let configuration = try read(["HTTP_CLIENT_MAX_CONNECTIONS": "10"])
        #expect(configuration.limits.maxIdleConnections == 10)
        #expect(configuration.source(of: .maxIdleConnections) == .default)
    }

    @Test("stays where it was set")
    func stays() throws {
        var configuration = try read(["HTTP_CLIENT_MAX_KEEPALIVE": "40"])
        configuration.limits.maxConnections = 50
        #expect(configuration.limits.maxIdleConnections == 40)
        configuration.limits.maxIdleConnections = 30
        configuration.limits.maxConnections = 200
        #expect(configuration.limits.maxIdleConnections == 30)
        #expect(configuration.source(of: .maxIdleConnections) == .code)
    }

    @Test(
        "must not be above the limit of connections, whichever of the two is set",
        arguments: [
            (["HTTP_CLIENT_MAX_CONNECTIONS": "10", "HTTP_CLIENT_MAX_KEEPALIVE": "11"], "11", "10"),
            (["HTTP_CLIENT_MAX_KEEPALIVE": "201"], "201", "200"),
        ]
    )
    func above(variables: [String: String], value: String, ceiling: String) {
        let expected = ConfigurationError.Problem(
            name: "HTTP_CLIENT_MAX_KEEPALIVE",
            value: value,
            allowed: "at most HTTP_CLIENT_MAX_CONNECTIONS (\(ceiling))"
        )
        #expect(problems(with: variables) == [expected])
    }

    @Test("may equal the limit of connections")
    func equal() throws {
        let variables = ["HTTP_CLIENT_MAX_CONNECTIONS": "150", "HTTP_CLIENT_MAX_KEEPALIVE": "150"]
        #expect(try read(variables).limits.maxIdleConnections == 150)
    }

    @Test("is an error when the code lowers connections below what a variable set")
    func loweredByCode() throws {
        var configuration = try read(["HTTP_CLIENT_MAX_KEEPALIVE": "40"])
        configuration.limits.maxConnections = 20
        let error = try #require(throws: ConfigurationError.self) { try configuration.validate() }
        #expect(error.problems.map(\.name) == ["HTTP_CLIENT_MAX_KEEPALIVE"])
        #expect(error.problems.map(\.allowed) == ["at most limits.maxConnections (20)"])
    }
}
