public import Configuration

/// The limits, the timeouts and the transport of a pool, each value with the source that it came from.
///
/// The empty initialiser gives the defaults; `init(config:)` reads them from the environment; setting a property
/// by hand marks it as set by code.
public struct PoolConfiguration: Sendable, Hashable {
    /// What a pool is to obey, whatever set it. The table of settings leads here.
    struct Values: Sendable, Hashable {
        var limits = PoolLimits()
        var timeouts = PoolTimeouts()
        var transport = PoolTransport()
    }

    /// How many connections, and for how long.
    public var limits: PoolLimits {
        get { values.limits }
        set { change(.limits) { $0.limits = newValue } }
    }
    /// How long each phase of a request may take.
    public var timeouts: PoolTimeouts {
        get { values.timeouts }
        set { change(.timeouts) { $0.timeouts = newValue } }
    }
    /// How requests travel: protocol, TLS, proxy.
    public var transport: PoolTransport {
        get { values.transport }
        set { change(.transport) { $0.transport = newValue } }
    }
    var values = Values()
    var sources = SettingSources()

    /// The defaults.
    public init() {}

    /// Reads the configuration from a `ConfigReader`; with the provider of environment variables from those that begin with
    /// `HTTP_CLIENT_`, as the table of settings in the documentation says.
    ///
    /// Seconds may be fractions. `none` lifts a limit that may be lifted. A key under `httpClient` that is not a setting is an
    /// error with the nearest name; a variable of the environment that is not one is in ``warnings(descriptorLimit:)``, for
    /// the environment is not ours alone.
    ///
    /// - Parameter config: the reader; the keys are `httpClient.maxConnections` and so on, which the provider of environment
    ///   variables spells `HTTP_CLIENT_MAX_CONNECTIONS`.
    /// - Throws: ``ConfigurationError`` naming every wrong variable or key, its value and what is allowed.
    public init(config: ConfigReader) throws(ConfigurationError) { try self.init(snapshot: config.snapshot()) }

    /// Reads the configuration from what a reader has at one instant.
    package init(snapshot: ConfigSnapshotReader) throws(ConfigurationError) {
        self = try PoolScopeConfiguration(snapshot: snapshot).pool
    }

    /// Where the value of `setting` comes from.
    public func source(of setting: PoolSetting) -> PoolSetting.Source { sources[setting] }

    /// The value of `setting`, without secrets.
    public func value(of setting: PoolSetting) -> PoolSetting.Value { setting.value(in: whole) }

    /// What an error calls a setting: the variable or key that set it, or the property where the program did.
    package func name(of setting: PoolSetting) -> String { sources.name(of: setting) }

    /// Whether another configuration has the same value of a setting, secrets included.
    func isSame(_ setting: PoolSetting, as other: PoolConfiguration) -> Bool {
        setting.isSame(in: whole, and: other.whole)
    }

    /// Takes the value of a setting, and where it came from.
    mutating func take(_ setting: PoolSetting, from other: PoolConfiguration) {
        var whole = whole
        setting.copy(from: other.whole, to: &whole)
        values = whole.pool.values
        setSource(of: setting, to: other.source(of: setting))
    }

    /// Notes where a value came from, after it was set.
    mutating func setSource(of setting: PoolSetting, to source: PoolSetting.Source) {
        sources[setting] = source
        followMaxConnections()
    }

    /// As the table of settings has it.
    private var whole: PoolScopeConfiguration { PoolScopeConfiguration(pool: self) }

    /// Whoever changes a property in code becomes its source; a property set to the value it had keeps its source.
    private mutating func change(_ group: PoolSetting.Group, _ body: (inout Values) -> Void) {
        let old = self
        body(&values)
        for setting in PoolSetting.all where setting.group == group && !isSame(setting, as: old) {
            sources[setting] = .code
        }
        followMaxConnections()
    }

    /// The idle limit that nobody set is never a reason for an error: it follows `maxConnections` down.
    private mutating func followMaxConnections() {
        guard source(of: .maxIdleConnections) == .default else { return }
        let most = max(0, values.limits.maxConnections)
        values.limits.maxIdleConnections = min(PoolLimits.defaultMaxIdleConnections, most)
    }
}
