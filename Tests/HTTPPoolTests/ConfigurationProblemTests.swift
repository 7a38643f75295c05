import Configuration
import HTTPPool
import Testing

@Suite("A wrong value")
struct ConfigurationProblemTests {
    private static let notSeconds = [
        "", " ", "abc", "5s", " 5", "5 ", "1,5", "1.2.3", "-1", "-0.001", "nan", "inf", "-inf", "infinity", "1e400",
        "31536000.1", "99999999999999999999999", "None", "NONE", "null", "true", "٣", "0.0.0.0",
    ]
    private static let notPositive = ["0", "0.0", "-0", "1e-12"]
    private static let notCounts = [
        "", " ", "abc", "1.5", "10.0", "1e2", "0x10", " 5", "5 ", "1_000", "-1", "1000001", "99999999999999999999",
        "None", "nil", "true", "٣",
    ]
    private static let seconds = "to 31536000, or none"
    private static let count = "to 1000000"

    /// A setting, what it says is allowed, and values that are not.
    static let table: [(setting: PoolSetting, allowed: String, values: [String])] = [
        (.maxConnections, "a whole number from 1 \(count)", notCounts + ["0", "none"]),
        (.maxConnectionsPerOrigin, "a whole number from 1 \(count), or none", notCounts + ["0"]),
        (.maxIdleConnections, "a whole number from 0 \(count)", notCounts + ["none"]),
        (.maxQueuedRequests, "a whole number from 0 \(count), or none", notCounts),
        (.queueOrder, "fair or fifo", ["", " ", "Fair", "FIFO", "fair ", "none", "lifo", "1", "fair,fifo"]),
        (.keepaliveExpiry, "seconds, from 0 \(seconds)", notSeconds),
        (.maxConnectionLifetime, "seconds, above 0 \(seconds)", notSeconds + notPositive),
        (.connectTimeout, "seconds, above 0 \(seconds)", notSeconds + notPositive),
        (.acquireTimeout, "seconds, from 0 \(seconds)", notSeconds),
        (.readTimeout, "seconds, above 0 \(seconds)", notSeconds + notPositive),
        (.writeTimeout, "seconds, above 0 \(seconds)", notSeconds + notPositive),
        (.totalTimeout, "seconds, above 0 \(seconds)", notSeconds + notPositive),
    ]

    @Test("is an error that names the variable, the value and what is allowed", arguments: table)
    func everyKind(setting: PoolSetting, allowed: String, values: [String]) {
        for value in values {
            let expected = ConfigurationError.Problem(name: setting.variable, value: value, allowed: allowed)
            #expect(problems(with: [setting.variable: value]) == [expected])
        }
    }

    @Test("is in the table for every setting")
    func tableIsComplete() { #expect(Self.table.map(\.setting) == PoolSetting.reloadable) }

    @Test("reads as one line")
    func description() {
        let problem = problems(with: ["HTTP_CLIENT_TIMEOUT": "-3"]).first
        #expect(problem?.description == "HTTP_CLIENT_TIMEOUT is \"-3\"; allowed: seconds, above 0 to 31536000, or none")
    }

    @Test("cannot break the line it is told in", arguments: ["3\nall is well", "3\r\n", "\u{1b}[2J", "\"", "\0"])
    func hostileText(value: String) {
        let problem = problems(with: ["HTTP_CLIENT_TIMEOUT": value]).first
        #expect(problem?.value == value)
        let description = problem?.description ?? "\n"
        #expect(description.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
        #expect(description.hasSuffix("; allowed: seconds, above 0 to 31536000, or none"))
    }

    @Test("does not hide another: all are told in one error, in the order of the settings")
    func allAtOnce() throws {
        let variables = Dictionary(limitVariables.map { ($0, "x") }) { first, _ in first }
        let error = try #require(throws: ConfigurationError.self) { try read(variables) }
        #expect(error.problems.map(\.name) == limitVariables)
        let lines = error.description.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(lines == error.problems.map(\.description))
    }

    @Test("is told beside one that breaks a rule between two settings")
    func withCrossRule() {
        let variables = [
            "HTTP_CLIENT_MAX_CONNECTIONS": "10", "HTTP_CLIENT_MAX_KEEPALIVE": "11", "HTTP_CLIENT_READ_TIMEOUT": "0",
        ]
        let names = Set(problems(with: variables).map(\.name))
        #expect(names == ["HTTP_CLIENT_READ_TIMEOUT", "HTTP_CLIENT_MAX_KEEPALIVE"])
    }
}

@Suite("A provider of typed values")
struct TypedValueTests {
    @Test("gives whole numbers and fractions as they are, under camel-case keys")
    func numbers() throws {
        let configuration = try read(values: [
            "httpClient.maxConnections": 50, "httpClient.maxConnectionsPerOrigin": 5, "httpClient.maxKeepalive": 4,
            "httpClient.maxQueued": 0, "httpClient.keepaliveExpiry": 12.5, "httpClient.maxConnectionLifetime": 60,
            "httpClient.timeout": 7, "httpClient.connectTimeout": 0.5, "httpClient.poolTimeout": 0,
            "httpClient.readTimeout": 2.25, "httpClient.totalTimeout": 90,
        ])
        let limits = configuration.limits
        #expect(limits.maxConnections == 50)
        #expect(limits.maxConnectionsPerOrigin == 5)
        #expect(limits.maxIdleConnections == 4)
        #expect(limits.maxQueuedRequests == 0)
        #expect(limits.keepaliveExpiry == .milliseconds(12500))
        #expect(limits.maxConnectionLifetime == .seconds(60))
        let timeouts = configuration.timeouts
        #expect(timeouts.connect == .milliseconds(500))
        #expect(timeouts.acquire == .zero)
        #expect(timeouts.read == .milliseconds(2250))
        #expect(timeouts.write == .seconds(7))
        #expect(timeouts.total == .seconds(90))
        let provider = "InMemoryProvider[]"
        #expect(configuration.source(of: .maxIdleConnections) == .provider(provider, "httpClient.maxKeepalive"))
        #expect(configuration.source(of: .writeTimeout) == .provider(provider, "httpClient.timeout"))
    }

    @Test("may give text too")
    func text() throws {
        let configuration = try read(values: ["httpClient.writeTimeout": "none", "httpClient.maxConnections": "9"])
        #expect(configuration.timeouts.write == nil)
        #expect(configuration.limits.maxConnections == 9)
    }

    @Test(
        "leads to an error, never to a default, where the number is not allowed",
        arguments: [(10.5, "10.5"), (50.0, "50.0"), (0, "0"), (-3, "-3"), (1_000_001, "1000001")]
            as [(ConfigValue, String)]
    )
    func wrongNumber(value: ConfigValue, text: String) throws {
        let error = try #require(throws: ConfigurationError.self) {
            try read(values: ["httpClient.maxConnections": value])
        }
        #expect(error.problems.map(\.name) == ["httpClient.maxConnections"])
        #expect(error.problems.map(\.value) == [text])
    }

    @Test(
        "leads to an error, never to a default, where the value is of another type",
        arguments: [
            .bool(true), .bytes([53]), .intArray([1, 2]), .doubleArray([1.5]), .stringArray(["5"]), .boolArray([false]),
            .byteChunkArray([[53]]),
        ] as [ConfigContent]
    )
    func wrongType(content: ConfigContent) throws {
        let value = ConfigValue(content, isSecret: false)
        let error = try #require(throws: ConfigurationError.self) {
            try read(values: ["httpClient.maxConnections": value, "httpClient.timeout": value])
        }
        #expect(error.problems.map(\.name) == ["httpClient.maxConnections", "httpClient.timeout"])
        #expect(error.problems.map(\.value) == ["neither text nor a number", "neither text nor a number"])
    }
}
