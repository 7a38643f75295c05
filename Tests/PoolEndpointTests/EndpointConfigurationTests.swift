import Configuration
import HTTPPool
import PoolEndpoint
import Testing

@Suite("Where the endpoint listens")
struct EndpointConfigurationTests {
    private func read(_ variables: [String: String]) throws(ConfigurationError) -> EndpointConfiguration {
        let provider = EnvironmentVariablesProvider(environmentVariables: variables)
        return try EndpointConfiguration(config: ConfigReader(provider: provider))
    }

    @Test("is loopback, port 9464, where nothing is said")
    func defaults() throws {
        let configuration = try read([:])
        #expect(configuration == EndpointConfiguration(host: "127.0.0.1", port: 9464))
        #expect(configuration == EndpointConfiguration())
    }

    @Test("is what the variables say")
    func variables() throws {
        let variables = ["HTTP_CLIENT_METRICS_HOST": "::1", "HTTP_CLIENT_METRICS_PORT": "0"]
        #expect(try read(variables) == EndpointConfiguration(host: "::1", port: 0))
    }

    @Test(
        "is an error that names variable, value and what is allowed",
        arguments: ["abc", "", "-1", "65536", "80.5", "99999999999999999999"]
    )
    func wrongPort(text: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try read(["HTTP_CLIENT_METRICS_PORT": text]) }
        let allowed = "a whole number from 0 to 65535; 0 picks a free port"
        #expect(error.description == "HTTP_CLIENT_METRICS_PORT is \"\(text)\"; allowed: \(allowed)")
    }

    @Test(
        "takes no host with a port, brackets, blanks or a scheme",
        arguments: [
            "", " ", "[::1]", "a b", "http://a", "a/b", "a,", "127.0.0.1,,::1", "300.1.1.1", "1.2.3", "-a", "a-",
            "a..b",
            "127.0.0.1:9464", "::1%", "a:b", "a\u{0}", "\(String(repeating: "a", count: 64)).example",
        ]
    )
    func wrongHost(text: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try read(["HTTP_CLIENT_METRICS_HOST": text]) }
        #expect(error.problems.map(\.name) == ["HTTP_CLIENT_METRICS_HOST"])
        #expect(error.problems.map(\.value) == [text])
    }

    @Test(
        "takes names and addresses, several of them with commas between",
        arguments: [
            ("localhost", ["localhost"]), ("no-such-host", ["no-such-host"]), ("::1, 127.0.0.1", ["::1", "127.0.0.1"]),
            ("fe80::1%eth0", ["fe80::1%eth0"]), ("a_b.example.", ["a_b.example."]), ("0.0.0.0", ["0.0.0.0"]),
        ]
    )
    func hosts(text: String, hosts: [String]) throws {
        let configuration = try read(["HTTP_CLIENT_METRICS_HOST": text])
        #expect(configuration.host == text && configuration.hosts == hosts)
    }

    @Test("takes the path of a socket, and a word about the process")
    func others() throws {
        let configuration = try read([
            "HTTP_CLIENT_METRICS_SOCKET": "/run/a.sock", "HTTP_CLIENT_METRICS_PROCESS": "off",
        ])
        #expect(configuration.unixSocket == "/run/a.sock" && !configuration.processMetrics)
        #expect(try read(["HTTP_CLIENT_METRICS_SOCKET": "none"]).unixSocket == nil)
        for (name, text) in [
            ("HTTP_CLIENT_METRICS_SOCKET", "a.sock"), ("HTTP_CLIENT_METRICS_SOCKET", ""),
            ("HTTP_CLIENT_METRICS_SOCKET", "/a/"),
            ("HTTP_CLIENT_METRICS_SOCKET", "/" + String(repeating: "a", count: 107)),
            ("HTTP_CLIENT_METRICS_PROCESS", "no"),
        ] {
            let error = try #require(throws: ConfigurationError.self) { try read([name: text]) }
            #expect(error.problems.map(\.name) == [name])
        }
    }

    @Test("tells of all that is wrong at once")
    func everythingWrong() throws {
        let variables = ["HTTP_CLIENT_METRICS_HOST": "a b", "HTTP_CLIENT_METRICS_PORT": "x"]
        let error = try #require(throws: ConfigurationError.self) { try read(variables) }
        #expect(error.problems.map(\.name) == ["HTTP_CLIENT_METRICS_HOST", "HTTP_CLIENT_METRICS_PORT"])
    }

    @Test("may come from a provider that holds numbers")
    func typedProvider() throws {
        let provider = InMemoryProvider(values: ["httpClient.metricsPort": 9000])
        let configuration = try EndpointConfiguration(config: ConfigReader(provider: provider))
        #expect(configuration.port == 9000)
    }
}
