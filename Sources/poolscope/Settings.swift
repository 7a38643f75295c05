import Configuration
import HTTPPool
import PoolEndpoint
import SharedPool
import SystemPackage

/// The configuration of the pool and of the endpoint, read together so that every problem of both is told at once.
///
/// The environment wins over the file, and the file over the defaults.
struct Settings: Sendable {
    let pool: PoolConfiguration
    let endpoint: EndpointConfiguration
    /// What both were read from; it follows the file when that changes.
    let config: ConfigReader
    private let names: SettingNames

    /// Reads the variables of this process, and a file where there is one.
    ///
    /// - Throws: ``ConfigFileError``, or `ConfigurationError` naming every wrong variable and key.
    static func read(file: String?) async throws -> Settings {
        let environment = EnvironmentVariablesProvider()
        guard let file else { return try Settings(environment: environment, file: nil) }
        do {
            let provider = try await ReloadingFileProvider<JSONSnapshot>(filePath: FilePath(file))
            return try Settings(environment: environment, file: provider)
        } catch let error as ConfigurationError {
            throw error
        } catch {
            throw ConfigFileError(file: file, error)
        }
    }

    /// Reads given variables, and a file where there is one.
    init(variables: [String: String], file: (any ConfigProvider)? = nil) throws(ConfigurationError) {
        try self.init(environment: EnvironmentVariablesProvider(environmentVariables: variables), file: file)
    }

    private init(
        environment: EnvironmentVariablesProvider,
        file: (any ConfigProvider)?
    ) throws(ConfigurationError) {
        config = ConfigReader(providers: [environment] + (file.map { [$0] } ?? []))
        names = file == nil ? .variables : SettingNames(environment: ConfigReader(provider: environment))
        var problems: [ConfigurationError.Problem] = []
        var pool = PoolConfiguration()
        var endpoint = EndpointConfiguration()
        do {
            pool = try PoolConfiguration(snapshot: config.snapshot(), names: names)
        } catch {
            problems += error.problems
        }
        do {
            endpoint = try EndpointConfiguration(config: config)
        } catch {
            problems += error.problems.map { [names] problem in
                let name = names.name(ofVariable: problem.name)
                return ConfigurationError.Problem(name: name, value: problem.value, allowed: problem.allowed)
            }
        }
        if !problems.isEmpty { throw ConfigurationError(problems: problems) }
        self.pool = pool
        self.endpoint = endpoint
    }

    /// One row for each setting: name, value, source, and the variable or key that made it or would.
    var rows: [[String]] {
        let poolRows = PoolSetting.allCases.map { setting in
            row(setting.rawValue, pool.value(of: setting).description, pool.source(of: setting), setting.variable)
        }
        let transportRows = TransportSetting.allCases.map { setting in
            row(setting.rawValue, setting.text(in: pool.transport), pool.source(of: setting), setting.variable)
        }
        return poolRows + transportRows + [
            row("metrics_host", endpoint.host, EndpointConfiguration.hostVariable),
            row("metrics_port", String(endpoint.port), EndpointConfiguration.portVariable),
        ]
    }

    private func row(_ name: String, _ value: String, _ source: PoolSetting.Source, _ variable: String) -> [String] {
        [name, value, source.kind.rawValue, source.variable ?? variable]
    }

    /// A row of the endpoint, whose configuration does not keep its sources.
    private func row(_ name: String, _ value: String, _ variable: String) -> [String] {
        let isSet = config.snapshot().text(ofVariable: variable) != nil
        let source = isSet ? PoolSetting.Source.environment(names.name(ofVariable: variable)) : .default
        return row(name, value, source, variable)
    }
}

/// Why a file could not be read, in one line.
struct ConfigFileError: Error, CustomStringConvertible {
    let description: String

    init(file: String, _ error: any Error) {
        description = "--config \(file) cannot be read: \(ConfigFileProblem(error))"
    }
}
