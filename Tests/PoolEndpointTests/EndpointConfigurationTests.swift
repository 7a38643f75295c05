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
        arguments: ["", " ", "[::1]", "a b", "http://a", "a/b"]
    )
    func wrongHost(text: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try read(["HTTP_CLIENT_METRICS_HOST": text]) }
        #expect(error.problems.map(\.name) == ["HTTP_CLIENT_METRICS_HOST"])
        #expect(error.problems.map(\.value) == [text])
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
