public import Configuration

/// Where the endpoint of the module PoolEndpoint listens.
public struct EndpointConfiguration: Sendable, Hashable {
    /// A host name or an IP address of this machine. Loopback by default: nobody outside can read the numbers.
    public var host: String {
        get { values.host }
        set { change { $0.host = newValue } }
    }
    /// The TCP port, from 0 to 65535; 0 lets the system pick one, which the endpoint then reports.
    public var port: Int {
        get { values.port }
        set { change { $0.port = newValue } }
    }

    /// What the endpoint is to obey, whatever set it. The table of settings leads here.
    struct Values: Sendable, Hashable {
        var host = "127.0.0.1"
        var port = 9464
    }
    var values = Values()
    var sources = SettingSources()

    /// The defaults: `127.0.0.1:9464`.
    public init() {}

    /// Names both.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads the configuration from a `ConfigReader`; with the provider of environment variables from
    /// `HTTP_CLIENT_METRICS_HOST` and `HTTP_CLIENT_METRICS_PORT`.
    ///
    /// - Parameter config: the reader; the keys are `httpClient.metricsHost` and `httpClient.metricsPort`.
    /// - Throws: ``ConfigurationError`` naming every wrong variable or key, its value and what is allowed.
    public init(config: ConfigReader) throws(ConfigurationError) {
        self = try PoolScopeConfiguration(config: config).endpoint
    }

    /// What a reader says of the endpoint at one instant; `nil` where anything of its configuration is wrong.
    package init?(snapshot: ConfigSnapshotReader) {
        guard let read = try? PoolScopeConfiguration(snapshot: snapshot) else { return nil }
        self = read.endpoint
    }

    /// Checks both values against what is allowed.
    ///
    /// - Throws: ``ConfigurationError`` with all that is wrong, not only the first.
    public func validate() throws(ConfigurationError) {
        let problems = PoolSetting.endpoint.compactMap { setting in
            setting.problem(in: PoolScopeConfiguration(endpoint: self)).map { sources.problem(setting, $0) }
        }
        if !problems.isEmpty { throw ConfigurationError(problems: problems) }
    }

    /// Where the value of `setting` comes from.
    public func source(of setting: PoolSetting) -> PoolSetting.Source { sources[setting] }

    /// The value of `setting`.
    public func value(of setting: PoolSetting) -> PoolSetting.Value {
        setting.value(in: PoolScopeConfiguration(endpoint: self))
    }

    private mutating func change(_ body: (inout Values) -> Void) {
        let old = PoolScopeConfiguration(endpoint: self)
        body(&values)
        let new = PoolScopeConfiguration(endpoint: self)
        for setting in PoolSetting.endpoint where !setting.isSame(in: old, and: new) { sources[setting] = .code }
    }

    /// Whether both listen at the same place, whatever set it.
    public static func == (a: EndpointConfiguration, b: EndpointConfiguration) -> Bool { a.values == b.values }
    /// Hashes the place.
    public func hash(into hasher: inout Hasher) { hasher.combine(values) }
}
