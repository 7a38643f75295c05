/// Where the value of a setting comes from.
public struct SettingSource: Sendable, Hashable, CustomStringConvertible {
    /// The label `source` of the metric `http_client_pool_config_source`.
    @nonexhaustive
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Nothing set it.
        case `default`
        /// A variable of the environment.
        case environment
        /// A file that the configuration reader has.
        case file
        /// Another provider of the configuration reader.
        case provider
        /// The program.
        case code
        /// It changed while the pool was running.
        case reload
    }

    /// Which of them.
    public let kind: Kind
    /// The variable or key that set it, as its provider spells it: `HTTP_CLIENT_TIMEOUT`, `httpClient.timeout`. For a
    /// default the one that would set it; `nil` for code.
    public let name: String?
    /// The provider, where it is neither the environment nor a file: `InMemoryProvider[limits]`.
    public let provider: String?

    private init(_ kind: Kind, _ name: String?, provider: String? = nil) {
        self.kind = kind
        self.name = name
        self.provider = provider
    }

    /// Nothing set it.
    public static let `default` = SettingSource(.default, nil)
    /// Nothing set it; the named variable, key or property would.
    static func `default`(setBy name: String) -> SettingSource { SettingSource(.default, name) }
    /// The program set it.
    public static let code = SettingSource(.code, nil)
    /// The named variable set it.
    public static func environment(_ variable: String) -> SettingSource { SettingSource(.environment, variable) }
    /// The named key of a file set it.
    public static func file(_ key: String) -> SettingSource { SettingSource(.file, key) }
    /// The named key of another provider set it.
    public static func provider(_ provider: String, _ key: String) -> SettingSource {
        SettingSource(.provider, key, provider: provider)
    }
    /// The named variable or key had another value when it was read again while the pool was running.
    public static func reload(_ name: String, provider: String? = nil) -> SettingSource {
        SettingSource(.reload, name, provider: provider)
    }

    /// In a few words: `HTTP_CLIENT_TIMEOUT`, `default HTTP_CLIENT_TIMEOUT`, `httpClient.timeout (file)`, `code`.
    public var description: String {
        guard let name else { return kind.rawValue }
        switch kind {
        case .default: return "default \(name)"
        case .environment, .code: return name
        case .file, .reload: return "\(name) (\(kind.rawValue))"
        case .provider: return "\(name) (\(provider ?? kind.rawValue))"
        }
    }

    /// Defaults are all the same, whatever would set them.
    public static func == (a: SettingSource, b: SettingSource) -> Bool {
        a.kind == b.kind && (a.kind == .default || (a.name == b.name && a.provider == b.provider))
    }

    /// Hashes what is compared.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        if kind != .default { hasher.combine(name) }
    }
}

/// How settings are called by whoever may set them.
enum SettingNaming: Sendable, Hashable {
    /// By their properties: the program made the configuration.
    case properties
    /// By variables of the environment that begin with this and an underscore.
    case variables(String)
    /// By keys under this one.
    case keys(String)

    /// The variable or the key; for a property its key.
    func name(ofKey key: String) -> String {
        switch self {
        case .properties: key
        case .variables(let base): base + "_" + key.snakeCased
        case .keys(let base): base + "." + key
        }
    }

    func name(of setting: PoolSetting) -> String {
        self == .properties ? setting.property : name(ofKey: setting.key)
    }
}

extension String {
    /// `maxConnections` as `MAX_CONNECTIONS`.
    fileprivate var snakeCased: String {
        reduce(into: "") { text, character in
            if character.isUppercase { text += "_" }
            text += character.uppercased()
        }
    }
}

/// Where each setting of a configuration comes from.
struct SettingSources: Sendable, Hashable {
    private var byKey: [String: SettingSource] = [:]
    /// How settings are called that nothing has set.
    var naming = SettingNaming.properties
    /// Names that look like settings and are not, and that may be somebody else's.
    var unknown: [ConfigurationError.Problem] = []

    subscript(setting: PoolSetting) -> SettingSource {
        get { byKey[setting.key] ?? .default(setBy: naming.name(of: setting)) }
        set { byKey[setting.key] = newValue.kind == .default ? nil : newValue }
    }

    /// What an error calls a setting.
    func name(of setting: PoolSetting) -> String { self[setting].name ?? setting.property }

    /// An error about a setting.
    func problem(_ setting: PoolSetting, _ problem: SettingProblem) -> ConfigurationError.Problem {
        ConfigurationError.Problem(
            name: name(of: setting),
            value: problem.value,
            allowed: problem.allowed,
            provider: self[setting].provider
        )
    }

    // How a default would be set, and what was found beside the settings, is not part of what a configuration is.
    static func == (a: SettingSources, b: SettingSources) -> Bool { a.byKey == b.byKey }
    func hash(into hasher: inout Hasher) { hasher.combine(byKey) }
}
