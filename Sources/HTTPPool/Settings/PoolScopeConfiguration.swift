public import Configuration

/// The configuration of a service: of its pool and of its endpoint, read together.
public struct PoolScopeConfiguration: Sendable, Hashable {
    /// What the pool obeys.
    public var pool: PoolConfiguration
    /// Where the endpoint listens.
    public var endpoint: EndpointConfiguration

    /// Both, given.
    public init(
        pool: PoolConfiguration = PoolConfiguration(),
        endpoint: EndpointConfiguration = EndpointConfiguration()
    ) {
        self.pool = pool
        self.endpoint = endpoint
    }

    /// Reads both from a `ConfigReader`, as `PoolConfiguration.init(config:)` reads one.
    ///
    /// - Throws: ``ConfigurationError`` with the problems of both.
    public init(config: ConfigReader) throws(ConfigurationError) { try self.init(snapshot: config.snapshot()) }

    /// Reads both from what a reader has at one instant.
    init(snapshot: ConfigSnapshotReader) throws(ConfigurationError) {
        let reading = SettingsReading(snapshot)
        if !reading.problems.isEmpty { throw ConfigurationError(problems: reading.problems) }
        self = reading.configuration
    }

    /// Where the value of a setting comes from.
    func source(of setting: PoolSetting) -> SettingSource {
        setting.group == .endpoint ? endpoint.source(of: setting) : pool.source(of: setting)
    }

    /// Notes where a value came from, after it was set.
    mutating func setSource(of setting: PoolSetting, to source: SettingSource) {
        if setting.group == .endpoint {
            endpoint.sources[setting] = source
        } else {
            pool.setSource(of: setting, to: source)
        }
    }

    /// One row for each setting: name, value, kind of source, and the variable or key that set it, or would.
    package var rows: [[String]] {
        (PoolSetting.all + PoolSetting.endpoint).map { setting in
            let source = source(of: setting)
            let place = (source.name ?? setting.property) + (source.provider.map { " (\($0))" } ?? "")
            return [setting.name, setting.value(in: self).description, source.kind.rawValue, place]
        }
    }

    /// The table of settings of the documentation, in Markdown.
    package static var documentation: String {
        let rows = PoolSetting.table.map { setting in
            "| `\(setting.variable)` | \(setting.documentedDefault) | \(setting.meaning) | \(setting.allowed) |"
        }
        return (["| variable | default | meaning | allowed |", "| --- | --- | --- | --- |"] + rows)
            .joined(separator: "\n")
    }
}
