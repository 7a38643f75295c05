import Configuration
import CurlPool
import HTTPPool
import PoolEndpoint
import SharedPool
import SystemPackage

/// The configuration of the pool and of the endpoint, read and checked together, so that all that is wrong comes in one error.
///
/// The environment wins over the file, and the file over the defaults.
struct Settings: Sendable {
    let pool: PoolConfiguration
    let endpoint: EndpointConfiguration
    /// What both were read from; it follows the file when that changes.
    let config: ConfigReader

    /// Reads the variables of this process, and a file where there is one.
    ///
    /// - Throws: ``ConfigFileError``, or `ConfigurationError` naming every wrong variable and key.
    static func read(file: String?) async throws -> Settings {
        let environment = EnvironmentVariablesProvider()
        guard let file else { return try Settings(environment: environment, file: nil) }
        #if ConfigurationFiles
        do {
            let provider = try await ReloadingFileProvider<SettingsSnapshot>(filePath: FilePath(file))
            return try Settings(environment: environment, file: provider)
        } catch let error as ConfigurationError {
            throw error
        } catch {
            throw ConfigFileError(file: file, "\(ConfigFileProblem(error))")
        }
        #else
        throw ConfigFileError(file: file, "poolscope was built without the trait ConfigurationFiles")
        #endif
    }

    /// Reads given variables, and a file where there is one.
    init(variables: [String: String], file: (any ConfigProvider)? = nil) throws {
        try self.init(environment: EnvironmentVariablesProvider(environmentVariables: variables), file: file)
    }

    private init(environment: EnvironmentVariablesProvider, file: (any ConfigProvider)?) throws {
        config = ConfigReader(providers: [environment] + (file.map { [$0] } ?? []))
        let both = try PoolScopeConfiguration(config: config)
        // What only the client can say: whether certificates can be read.
        try CurlClient.check(both.pool)
        pool = both.pool
        endpoint = both.endpoint
    }

    /// One row for each setting: name, value, kind of source, and the variable or key that set it, or would.
    var rows: [[String]] { PoolScopeConfiguration(pool: pool, endpoint: endpoint).rows }
}

/// Why a file could not be read, in one line.
struct ConfigFileError: Error, CustomStringConvertible {
    let description: String

    init(file: String, _ reason: String) { description = "--config \(file) cannot be read: \(reason)" }
}
