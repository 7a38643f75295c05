public import Configuration

/// The limits, timeouts and transport of a pool, each value with its source.
///
/// `init()` gives the defaults, and `init(config:)` reads the environment or another provider. Setting a property
/// in code makes `code` the source of the changed values.
public struct PoolConfiguration: Sendable, Hashable {
    /// The effective values, without their sources. The key paths of the table of settings point here.
    struct Values: Sendable, Hashable {
        var limits = PoolLimits()
        var timeouts = PoolTimeouts()
        var transport = PoolTransport()
        var series = PoolSeries()
    }

    /// Limits on connections and waiting requests.
    public var limits: PoolLimits {
        get { values.limits }
        set { change(.limits) { $0.limits = newValue } }
    }
    /// The maximum duration of each phase of a request.
    public var timeouts: PoolTimeouts {
        get { values.timeouts }
        set { change(.timeouts) { $0.timeouts = newValue } }
    }
    /// How requests are sent: protocol, TLS, proxy.
    public var transport: PoolTransport {
        get { values.transport }
        set { change(.transport) { $0.transport = newValue } }
    }
    /// How much the metrics of the pool keep apart.
    public var series: PoolSeries {
        get { values.series }
        set { change(.series) { $0.series = newValue } }
    }
    var values = Values()
    var sources = SettingSources()

    /// The defaults.
    public init() {}

    /// Reads the configuration from a `ConfigReader`. With the provider of environment variables it reads those
    /// that begin with `HTTP_CLIENT_`, as listed in the documentation.
    ///
    /// Seconds may be fractions. `none` disables a limit where that is allowed. An unknown key under `httpClient`
    /// is an error that names the most similar setting. An unknown environment variable is only a warning
    /// (``warnings(descriptorLimit:)``), because the environment is shared with other programs.
    ///
    /// - Parameter config: the reader; the keys are `httpClient.maxConnections` and so on, which the provider of
    ///   environment variables spells `HTTP_CLIENT_MAX_CONNECTIONS`.
    /// - Throws: ``ConfigurationError`` naming every invalid variable or key, its value and the allowed values.
    public init(config: ConfigReader) throws(ConfigurationError) { try self.init(snapshot: config.snapshot()) }

    /// Reads the configuration from a snapshot of a reader.
    package init(snapshot: ConfigSnapshotReader) throws(ConfigurationError) {
        self = try PoolScopeConfiguration(snapshot: snapshot).pool
    }

    /// The source of the value of `setting`.
    public func source(of setting: PoolSetting) -> PoolSetting.Source { sources[setting] }

    /// The value of `setting`, without secrets.
    public func value(of setting: PoolSetting) -> PoolSetting.Value { setting.value(in: whole) }

    /// The name of a setting in errors: the variable or key that set it, or the property if code did.
    package func name(of setting: PoolSetting) -> String { sources.name(of: setting) }

    /// Whether another configuration has the same value of a setting, secrets included.
    func isSame(_ setting: PoolSetting, as other: PoolConfiguration) -> Bool {
        setting.isSame(in: whole, and: other.whole)
    }

    /// Copies the value of a setting and its source.
    mutating func take(_ setting: PoolSetting, from other: PoolConfiguration) {
        var whole = whole
        setting.copy(from: other.whole, to: &whole)
        values = whole.pool.values
        setSource(of: setting, to: other.source(of: setting))
    }

    /// Sets the source of a value. Call it after setting the value.
    mutating func setSource(of setting: PoolSetting, to source: PoolSetting.Source) {
        sources[setting] = source
        followMaxConnections()
    }

    /// The configuration in the form that the table of settings uses.
    private var whole: PoolScopeConfiguration { PoolScopeConfiguration(pool: self) }

    /// Changes values and marks those that differ as set by code; unchanged values keep their source.
    private mutating func change(_ group: PoolSetting.Group, _ body: (inout Values) -> Void) {
        let old = self
        body(&values)
        for setting in PoolSetting.all where setting.group == group && !isSame(setting, as: old) {
            sources[setting] = .code
        }
        followMaxConnections()
    }

    /// Lowers the default idle limit along with `maxConnections`, so that an unset setting never causes an error.
    private mutating func followMaxConnections() {
        guard source(of: .maxIdleConnections) == .default else { return }
        let most = max(0, values.limits.maxConnections)
        values.limits.maxIdleConnections = min(PoolLimits.defaultMaxIdleConnections, most)
    }
}
