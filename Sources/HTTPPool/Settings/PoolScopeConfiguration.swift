public import Configuration

/// The configuration of a service: its pool and its endpoint, read together.
public struct PoolScopeConfiguration: Sendable, Hashable {
    /// The configuration of the pool.
    public var pool: PoolConfiguration
    /// The address that the endpoint listens on.
    public var endpoint: EndpointConfiguration

    /// Creates a configuration from both parts.
    public init(
        pool: PoolConfiguration = PoolConfiguration(),
        endpoint: EndpointConfiguration = EndpointConfiguration()
    ) {
        self.pool = pool
        self.endpoint = endpoint
    }

    /// Reads both parts from a `ConfigReader`, like `PoolConfiguration.init(config:)`.
    ///
    /// - Throws: ``ConfigurationError`` with the problems of both parts.
    public init(config: ConfigReader) throws(ConfigurationError) { try self.init(snapshot: config.snapshot()) }

    /// Reads both parts, and has a client check what only it can, such as whether files are readable.
    ///
    /// - Parameter check: returns the problems of a configuration in which invalid values are replaced by defaults.
    /// - Throws: ``ConfigurationError`` with the problems of both parts and those of `check`; the errors of `check`.
    package init(
        config: ConfigReader,
        checking check: (PoolConfiguration) throws -> [ConfigurationError.Problem]
    ) throws {
        try self.init(config: config, checkingBoth: { try check($0.pool) })
    }

    /// Reads both parts, and has what lies outside of them checked for both.
    ///
    /// - Parameter check: returns the problems of a configuration in which invalid values are replaced by defaults.
    /// - Throws: ``ConfigurationError`` with the problems of both parts and those of `check`; the errors of `check`.
    package init(
        config: ConfigReader,
        checkingBoth check: (PoolScopeConfiguration) throws -> [ConfigurationError.Problem]
    ) throws {
        let reading = SettingsReading(config.snapshot())
        let problems = try reading.problems + check(reading.configuration)
        if !problems.isEmpty { throw ConfigurationError(problems: problems) }
        self = reading.configuration
    }

    /// Reads both parts from a snapshot of a reader.
    init(snapshot: ConfigSnapshotReader) throws(ConfigurationError) {
        let reading = SettingsReading(snapshot)
        if !reading.problems.isEmpty { throw ConfigurationError(problems: reading.problems) }
        self = reading.configuration
    }

    /// The source of the value of a setting.
    func source(of setting: PoolSetting) -> SettingSource {
        setting.group == .endpoint ? endpoint.source(of: setting) : pool.source(of: setting)
    }

    /// Sets the source of a value. Call it after setting the value.
    mutating func setSource(of setting: PoolSetting, to source: SettingSource) {
        if setting.group == .endpoint {
            endpoint.sources[setting] = source
        } else {
            pool.setSource(of: setting, to: source)
        }
    }

    /// One row per setting: name, value, kind of source, and the variable or key that set it or would set it.
    package var rows: [[String]] {
        (PoolSetting.all + PoolSetting.endpoint).map { setting in
            let source = source(of: setting)
            let place = (source.name ?? setting.property) + (source.provider.map { " (\($0))" } ?? "")
            return [setting.name, setting.value(in: self).description, source.kind.rawValue, place]
        }
    }

    /// The documentation's table of settings, in Markdown.
    package static var documentation: String {
        let rows = PoolSetting.table.map { setting in
            "| `\(setting.variable)` | \(setting.documentedDefault) | \(setting.meaning) | \(setting.allowed) |"
        }
        return (["| variable | default | meaning | allowed |", "| --- | --- | --- | --- |"] + rows)
            .joined(separator: "\n")
    }
}
