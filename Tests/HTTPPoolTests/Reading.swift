import Configuration

@testable import HTTPPool

/// Reads a configuration from given variables of the environment.
func read(_ variables: [String: String]) throws(ConfigurationError) -> PoolConfiguration {
    let provider = EnvironmentVariablesProvider(environmentVariables: variables)
    return try PoolConfiguration(config: ConfigReader(provider: provider))
}

/// Reads a configuration from a provider that holds typed values, as one that reads JSON does.
func read(values: [AbsoluteConfigKey: ConfigValue]) throws(ConfigurationError) -> PoolConfiguration {
    try PoolConfiguration(config: ConfigReader(provider: InMemoryProvider(values: values)))
}

/// The problems that reading these variables leads to; none where it succeeds.
func problems(with variables: [String: String]) -> [ConfigurationError.Problem] {
    do throws(ConfigurationError) {
        _ = try read(variables)
        return []
    } catch {
        return error.problems
    }
}

/// All variables of a pool's limits and timeouts, in the order in which their problems are reported.
let limitVariables = PoolSetting.table.filter(\.isReloadable).map(\.variable)
