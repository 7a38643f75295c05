/// The declaration of a setting.
///
/// Each setting is declared once, in a table that covers pool, transport and endpoint. Reading it from a
/// `ConfigReader`, errors, `poolscope config`, the status page, the metric `config_source`, reloading and the
/// documentation are all derived from that declaration.
public struct PoolSetting: Sendable, Hashable, CustomStringConvertible {
    /// The value of a setting.
    public typealias Value = SettingValue
    /// The source of a value.
    public typealias Source = SettingSource

    /// The name in metrics and in `poolscope config`: `max_connections`.
    public let name: String
    /// The last component of the configuration key: `maxConnections`, for `httpClient.maxConnections`.
    public let key: String
    /// The name on the status page: `connections`.
    public let label: String
    /// The property that sets it in code: `limits.maxConnections`.
    public let property: String
    /// The group that it belongs to.
    public let group: Group
    /// Whether its text may contain a secret. Such text is never shown, and is read as a secret from the reader.
    public let mayHoldSecret: Bool
    /// The meaning, in one line of Markdown.
    let meaning: String
    /// The default as a variable would spell it, or a description if it depends on another setting.
    let documentedDefault: String
    /// A description of the allowed values.
    let allowed: String
    /// A condition on another setting; `nil` for no condition.
    let requirement: Requirement?
    /// The settings whose unset values it provides; empty if it has a value of its own.
    let spreads: [PoolSetting]
    private let storage: any SettingStorage

    /// The groups of settings.
    @nonexhaustive
    public enum Group: Sendable, Hashable {
        /// ``PoolLimits``.
        case limits
        /// ``PoolTimeouts``.
        case timeouts
        /// ``PoolTransport``. Fixed while the pool runs, because connections were opened with it.
        case transport
        /// ``PoolSeries``. Fixed while the pool runs, because its metrics were begun with it.
        case series
        /// ``EndpointConfiguration``.
        case endpoint
    }

    /// Whether it can change while the pool runs.
    public var isReloadable: Bool { group == .limits || group == .timeouts }

    /// A condition for a setting to be valid.
    struct Requirement: Sendable {
        /// The key of the required setting.
        let key: String
        /// The condition as text, to be followed by the name of that setting: `only with a URL in`.
        let words: String
        let holds: @Sendable (PoolScopeConfiguration) -> Bool
    }

    /// Declares a setting.
    ///
    /// - Parameters:
    ///   - path: where the value is stored.
    ///   - domain: the allowed values.
    ///   - default: a description of the default, if it depends on another setting.
    ///   - spreads: the settings whose unset values it provides; it has no value of its own then.
    init<V>(
        _ name: String,
        key: String,
        label: String,
        property: String,
        _ group: Group,
        _ path: any WritableKeyPath<PoolScopeConfiguration, V> & Sendable,
        _ domain: SettingDomain<V>,
        default: String? = nil,
        requires requirement: Requirement? = nil,
        spreads: [PoolSetting] = [],
        _ meaning: String
    ) {
        self.name = name
        self.key = key
        self.label = label
        self.property = property
        self.group = group
        self.meaning = meaning
        self.requirement = requirement
        self.spreads = spreads
        mayHoldSecret = domain.mayHoldSecret
        documentedDefault = `default` ?? domain.value(PoolScopeConfiguration()[keyPath: path]).word
        allowed = domain.allowed
        storage = TypedStorage(path: path, domain: domain)
    }

    /// The environment variable that sets it, for a reader without scope: `HTTP_CLIENT_MAX_CONNECTIONS`.
    public var variable: String { SettingNaming.variables("HTTP_CLIENT").name(ofKey: key) }

    /// The value in `configuration`, without secrets.
    func value(in configuration: PoolScopeConfiguration) -> Value { storage.value(in: configuration) }

    /// Whether two configurations have the same value, secrets included.
    func isSame(in a: PoolScopeConfiguration, and b: PoolScopeConfiguration) -> Bool { storage.isSame(in: a, and: b) }

    /// Copies the value from `other` to `configuration`.
    func copy(from other: PoolScopeConfiguration, to configuration: inout PoolScopeConfiguration) {
        storage.copy(from: other, to: &configuration)
    }

    /// Parses a text and sets the value. Returns `false` and sets nothing if the text is not an allowed value.
    func read(_ text: String, into configuration: inout PoolScopeConfiguration) -> Bool {
        storage.read(text, into: &configuration)
    }

    /// The problem of the value in `configuration`, without secrets; `nil` if the value is allowed.
    func problem(in configuration: PoolScopeConfiguration) -> SettingProblem? { storage.problem(in: configuration) }

    /// An invalid text in the form that errors may show.
    func shown(_ text: String) -> String { storage.shown(text) }

    /// The name in metrics.
    public var description: String { name }

    /// Whether both are the same setting.
    public static func == (a: PoolSetting, b: PoolSetting) -> Bool { a.key == b.key }
    /// Hashes the key, which identifies a setting.
    public func hash(into hasher: inout Hasher) { hasher.combine(key) }
}

/// A problem of a value.
struct SettingProblem: Sendable, Hashable {
    /// The value in the form that errors may show.
    let value: String
    /// The allowed values.
    let allowed: String
}

/// Type-erased access to the value of a setting.
private protocol SettingStorage: Sendable {
    func value(in configuration: PoolScopeConfiguration) -> SettingValue
    func isSame(in a: PoolScopeConfiguration, and b: PoolScopeConfiguration) -> Bool
    func copy(from other: PoolScopeConfiguration, to configuration: inout PoolScopeConfiguration)
    func read(_ text: String, into configuration: inout PoolScopeConfiguration) -> Bool
    func problem(in configuration: PoolScopeConfiguration) -> SettingProblem?
    func shown(_ text: String) -> String
}

private struct TypedStorage<V: Equatable & Sendable>: SettingStorage {
    let path: any WritableKeyPath<PoolScopeConfiguration, V> & Sendable
    let domain: SettingDomain<V>

    func value(in configuration: PoolScopeConfiguration) -> SettingValue { domain.value(configuration[keyPath: path]) }
    func isSame(in a: PoolScopeConfiguration, and b: PoolScopeConfiguration) -> Bool {
        a[keyPath: path] == b[keyPath: path]
    }
    func copy(from other: PoolScopeConfiguration, to configuration: inout PoolScopeConfiguration) {
        configuration[keyPath: path] = other[keyPath: path]
    }
    func problem(in configuration: PoolScopeConfiguration) -> SettingProblem? {
        domain.problem(configuration[keyPath: path])
    }
    func shown(_ text: String) -> String { domain.shown(text) }

    func read(_ text: String, into configuration: inout PoolScopeConfiguration) -> Bool {
        guard let value = domain.parse(text), domain.problem(value) == nil else { return false }
        configuration[keyPath: path] = value
        return true
    }
}
