/// One setting: everything that is known of it.
///
/// It is declared once, in the one table of a pool's, its transport's and its endpoint's settings. Reading it from a
/// `ConfigReader`, errors, `poolscope config`, the status page, the metric `config_source`, reloading and the table in the
/// documentation all follow from that declaration.
public struct PoolSetting: Sendable, Hashable, CustomStringConvertible {
    /// The value of a setting.
    public typealias Value = SettingValue
    /// Where a value comes from.
    public typealias Source = SettingSource

    /// Its name in metrics and in `poolscope config`: `max_connections`.
    public let name: String
    /// The last part of its key in a configuration: `maxConnections`, for `httpClient.maxConnections`.
    public let key: String
    /// Its name on the status page: `connections`.
    public let label: String
    /// The property that sets it in code: `limits.maxConnections`.
    public let property: String
    /// What it is a setting of.
    public let group: Group
    /// Whether what is given for it may hold a secret. Such a text is shown nowhere, and reading it is marked as secret.
    public let mayHoldSecret: Bool
    /// What it means, in one line of Markdown.
    let meaning: String
    /// Its default, as a variable would say it, or in words where it depends on another.
    let documentedDefault: String
    /// What is allowed, in words.
    let allowed: String
    /// Another setting that it needs; `nil` where it stands alone.
    let requirement: Requirement?
    /// The settings that it gives a value to where they have none of their own; empty where it has a value itself.
    let spreads: [PoolSetting]
    private let storage: any SettingStorage

    /// What settings are of.
    @nonexhaustive
    public enum Group: Sendable, Hashable {
        /// ``PoolLimits``: how many connections, and for how long.
        case limits
        /// ``PoolTimeouts``.
        case timeouts
        /// ``PoolTransport``: connections that exist were opened under it.
        case transport
        /// ``EndpointConfiguration``.
        case endpoint
    }

    /// Whether it can change while the pool runs.
    public var isReloadable: Bool { group == .limits || group == .timeouts }

    /// What has to be so for a setting to have a meaning.
    struct Requirement: Sendable {
        /// The setting that is needed.
        let key: String
        /// What of it, before its name: `only beside a URL in`.
        let words: String
        let holds: @Sendable (PoolScopeConfiguration) -> Bool
    }

    /// Declares a setting.
    ///
    /// - Parameters:
    ///   - path: where its value is kept.
    ///   - domain: which values it may have.
    ///   - default: its default in words, where it depends on another setting.
    ///   - spreads: the settings that it gives a value to; it has none itself then.
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

    /// The environment variable that sets it where the reader has no scope: `HTTP_CLIENT_MAX_CONNECTIONS`.
    public var variable: String { SettingNaming.variables("HTTP_CLIENT").name(ofKey: key) }

    /// Its value in `configuration`, without secrets.
    func value(in configuration: PoolScopeConfiguration) -> Value { storage.value(in: configuration) }

    /// Whether two configurations have the same value, secrets included.
    func isSame(in a: PoolScopeConfiguration, and b: PoolScopeConfiguration) -> Bool { storage.isSame(in: a, and: b) }

    /// Gives `configuration` the value that `other` has.
    func copy(from other: PoolScopeConfiguration, to configuration: inout PoolScopeConfiguration) {
        storage.copy(from: other, to: &configuration)
    }

    /// Sets it from text; `false` where the text is not an allowed value, and then nothing is set.
    func read(_ text: String, into configuration: inout PoolScopeConfiguration) -> Bool {
        storage.read(text, into: &configuration)
    }

    /// What is wrong with its value in `configuration`; `nil` where it is allowed. No secret is in it.
    func problem(in configuration: PoolScopeConfiguration) -> SettingProblem? { storage.problem(in: configuration) }

    /// A wrong text as an error may show it.
    func shown(_ text: String) -> String { storage.shown(text) }

    /// Its name in metrics.
    public var description: String { name }

    /// Whether both are the same setting.
    public static func == (a: PoolSetting, b: PoolSetting) -> Bool { a.key == b.key }
    /// Hashes what makes a setting that setting: its key.
    public func hash(into hasher: inout Hasher) { hasher.combine(key) }
}

/// What is wrong with a value.
struct SettingProblem: Sendable, Hashable {
    /// The value as an error may show it.
    let value: String
    /// What would have been right.
    let allowed: String
}

/// Where a configuration keeps a setting, whatever the type of its value.
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
