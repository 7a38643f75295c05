import Configuration
import CurlPool
import HTTPPool
import PoolEndpoint
import SharedPool

/// The configuration of pool and endpoint, read and validated together so that one error lists all problems.
///
/// Precedence: environment, file, defaults.
struct Settings: Sendable {
    let pool: PoolConfiguration
    let endpoint: EndpointConfiguration
    /// The reader that both were read from; it follows changes of the file.
    let config: ConfigReader

    /// Reads the environment of this process, and the file if one is given.
    ///
    /// - Throws: `SettingsFileError`, or `ConfigurationError` naming every invalid variable and key.
    static func read(file: String?) async throws -> Settings {
        let environment = EnvironmentVariablesProvider()
        guard let file else { return try Settings(environment: environment, file: nil) }
        #if ConfigurationFiles
        return try Settings(environment: environment, file: await SettingsSnapshot.follow(file))
        #else
        throw SettingsFileError(
            path: file,
            reason: "it cannot be read: poolscope was built without the package trait ConfigurationFiles"
        )
        #endif
    }

    /// Reads the given variables, and a file if one is given.
    init(variables: [String: String], file: (any ConfigProvider)? = nil) throws {
        try self.init(environment: EnvironmentVariablesProvider(environmentVariables: variables), file: file)
    }

    private init(environment: EnvironmentVariablesProvider, file: (any ConfigProvider)?) throws {
        config = ConfigReader(providers: [environment] + (file.map { [$0] } ?? []))
        let both = try PoolScopeConfiguration(
            config: config,
            checkingBoth: { both in
                try CurlClient.problemsOutside(of: both.pool) + both.endpoint.unresolvedHosts()
            }
        )
        pool = both.pool
        endpoint = both.endpoint
    }

    /// One row per setting: name, value, kind of source, and the variable or key that set it or would set it.
    var rows: [[String]] { PoolScopeConfiguration(pool: pool, endpoint: endpoint).rows }
}
