import Configuration
import HTTPPool
import PoolEndpoint

/// The configuration of the pool and of the endpoint, read together so that every problem of both is told at once.
struct Settings: Sendable {
    let pool: PoolConfiguration
    let endpoint: EndpointConfiguration
    private let config: ConfigReader

    /// Reads the variables of this process.
    init() throws(ConfigurationError) { try self.init(provider: EnvironmentVariablesProvider()) }

    /// Reads given variables.
    init(variables: [String: String]) throws(ConfigurationError) {
        try self.init(provider: EnvironmentVariablesProvider(environmentVariables: variables))
    }

    private init(provider: EnvironmentVariablesProvider) throws(ConfigurationError) {
        config = ConfigReader(provider: provider)
        var problems: [ConfigurationError.Problem] = []
        var pool = PoolConfiguration()
        var endpoint = EndpointConfiguration()
        do { pool = try PoolConfiguration(config: config) } catch { problems += error.problems }
        do { endpoint = try EndpointConfiguration(config: config) } catch { problems += error.problems }
        if !problems.isEmpty { throw ConfigurationError(problems: problems) }
        self.pool = pool
        self.endpoint = endpoint
    }

    /// One row for each setting: name, value, source, variable.
    var rows: [[String]] {
        let poolRows = PoolSetting.allCases.map { setting in
            let source = pool.source(of: setting)
            let value = pool.value(of: setting).description
            return [setting.rawValue, value, source.kind.rawValue, source.variable ?? setting.variable]
        }
        return poolRows + [
            row("metrics_host", endpoint.host, EndpointConfiguration.hostVariable),
            row("metrics_port", String(endpoint.port), EndpointConfiguration.portVariable),
        ]
    }

    /// A row of the endpoint, whose configuration does not keep its sources.
    private func row(_ name: String, _ value: String, _ variable: String) -> [String] {
        let kind: PoolSetting.Source.Kind = config.text(ofVariable: variable) == nil ? .default : .environment
        return [name, value, kind.rawValue, variable]
    }
}
