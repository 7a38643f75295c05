import Testing

@testable import HTTPPool

@Suite("A configuration from variables")
struct ConfigurationReadingTests {
    @Test("is the defaults where no variable is set")
    func defaults() throws {
        let configuration = try read([:])
        #expect(configuration == PoolConfiguration())
        let values = PoolSetting.reloadable.map { configuration.value(of: $0) }
        let seconds: [PoolSetting.Value] = [10, 30, 30, 30].map { .duration(.seconds($0)) }
        let limits: [PoolSetting.Value] = [
            .count(200), .count(nil), .count(100), .count(nil), .text("fair"), .duration(.seconds(30)), .duration(nil),
        ]
        #expect(values == limits + seconds + [.duration(nil)])
        #expect(PoolSetting.all.allSatisfy { configuration.source(of: $0) == .default })
    }

    @Test("passes over variables that are not its own")
    func foreignVariables() throws {
        let variables = ["HTTP_CLIENT_MAX_CONNECTION": "x", "MAX_CONNECTIONS": "x", "http_client_timeout": "x"]
        #expect(try read(variables) == PoolConfiguration())
    }

    /// One text and its value for every setting.
    static let samples: [(setting: PoolSetting, text: String, value: PoolSetting.Value)] = [
        (.maxConnections, "500", .count(500)),
        (.maxConnectionsPerOrigin, "8", .count(8)),
        (.maxIdleConnections, "7", .count(7)),
        (.maxQueuedRequests, "1000", .count(1000)),
        (.queueOrder, "fifo", .text("fifo")),
        (.keepaliveExpiry, "45", .duration(.seconds(45))),
        (.maxConnectionLifetime, "3600", .duration(.seconds(3600))),
        (.connectTimeout, "2", .duration(.seconds(2))),
        (.acquireTimeout, "3", .duration(.seconds(3))),
        (.readTimeout, "4", .duration(.seconds(4))),
        (.writeTimeout, "5", .duration(.seconds(5))),
        (.totalTimeout, "6", .duration(.seconds(6))),
    ]

    @Test("takes each setting from its variable, names it as the source and leaves the others", arguments: samples)
    func each(setting: PoolSetting, text: String, value: PoolSetting.Value) throws {
        let configuration = try read([setting.variable: text])
        #expect(configuration.value(of: setting) == value)
        #expect(configuration.source(of: setting) == .environment(setting.variable))
        #expect(configuration.source(of: setting).description == setting.variable)
        for other in PoolSetting.all where other != setting {
            #expect(configuration.value(of: other) == PoolConfiguration().value(of: other))
            #expect(configuration.source(of: other) == .default)
        }
    }

    @Test("takes all settings at once")
    func all() throws {
        let variables = Self.samples.map { ($0.setting.variable, $0.text) }
        let configuration = try read(Dictionary(variables) { first, _ in first })
        for sample in Self.samples { #expect(configuration.value(of: sample.setting) == sample.value) }
        #expect(Set(Self.samples.map(\.setting)) == Set(PoolSetting.reloadable))
    }

    @Test("has a variable of its own for every setting")
    func variables() {
        #expect(Set(PoolSetting.table.map(\.variable)).count == PoolSetting.all.count + PoolSetting.endpoint.count + 1)
        #expect(PoolSetting.table.allSatisfy { $0.variable.hasPrefix("HTTP_CLIENT_") })
    }

    @Test(
        "takes fractions of seconds, to the nanosecond",
        arguments: [
            ("0.25", .milliseconds(250)), ("1.5", .milliseconds(1500)), ("1e-3", .milliseconds(1)),
            ("0.000000001", .nanoseconds(1)), (".5", .milliseconds(500)), ("31536000", .seconds(31_536_000)),
        ] as [(String, Duration)]
    )
    func fractions(text: String, duration: Duration) throws {
        let settings: [PoolSetting] = PoolSetting.reloadable.filter { setting in
            if case .duration = PoolConfiguration().value(of: setting) { true } else { false }
        }
        #expect(settings.count == 7)
        for setting in settings {
            #expect(try read([setting.variable: text]).value(of: setting) == .duration(duration))
        }
    }

    @Test("takes zero where it means now or none")
    func zero() throws {
        let settings: [PoolSetting] = [.keepaliveExpiry, .acquireTimeout]
        for setting in settings {
            #expect(try read([setting.variable: "0"]).value(of: setting) == .duration(.zero))
        }
        #expect(try read(["HTTP_CLIENT_MAX_KEEPALIVE": "0"]).limits.maxIdleConnections == 0)
        #expect(try read(["HTTP_CLIENT_MAX_QUEUED": "0"]).limits.maxQueuedRequests == 0)
    }

    @Test("lifts a limit that may be lifted with the word none")
    func none() throws {
        let others: [PoolSetting] = [.maxConnections, .maxIdleConnections, .queueOrder]
        for setting in PoolSetting.reloadable where !others.contains(setting) {
            let configuration = try read([setting.variable: "none"])
            #expect(configuration.value(of: setting).asDouble == .infinity)
            #expect(configuration.value(of: setting).description == "none")
            #expect(configuration.source(of: setting) == .environment(setting.variable))
        }
    }
}

@Suite("HTTP_CLIENT_TIMEOUT")
struct TimeoutForAllTests {
    private let spread: [PoolSetting] = [.acquireTimeout, .readTimeout, .writeTimeout]

    @Test(
        "sets acquire, read and write and is the source of each; connect and total keep their own",
        arguments: ["7.5", "none"]
    )
    func fanOut(text: String) throws {
        let configuration = try read(["HTTP_CLIENT_TIMEOUT": text])
        let value = PoolSetting.Value.duration(text == "none" ? nil : .milliseconds(7500))
        for setting in spread {
            #expect(configuration.value(of: setting) == value)
            #expect(configuration.source(of: setting) == .environment("HTTP_CLIENT_TIMEOUT"))
        }
        for setting in PoolSetting.all where !spread.contains(setting) {
            #expect(configuration.value(of: setting) == PoolConfiguration().value(of: setting))
            #expect(configuration.source(of: setting) == .default)
        }
    }

    @Test("gives way to the variable of a single timeout")
    func overriding() throws {
        for own in spread {
            let configuration = try read(["HTTP_CLIENT_TIMEOUT": "7", own.variable: "2"])
            for setting in spread {
                let isOwn = setting == own
                #expect(configuration.value(of: setting) == .duration(.seconds(isOwn ? 2 : 7)))
                let variable = isOwn ? own.variable : "HTTP_CLIENT_TIMEOUT"
                #expect(configuration.source(of: setting) == .environment(variable))
            }
        }
    }

    @Test("is one problem where it is wrong, not three", arguments: ["0", "-1", "soon", "31536001"])
    func wrong(text: String) {
        let problems = problems(with: ["HTTP_CLIENT_TIMEOUT": text, "HTTP_CLIENT_READ_TIMEOUT": "2"])
        #expect(problems.map(\.name) == ["HTTP_CLIENT_TIMEOUT"])
        #expect(problems.map(\.value) == [text])
        #expect(problems.map(\.allowed) == ["seconds, above 0 to 31536000, or none"])
    }
}
