/// The source of the value of a setting.
public struct SettingSource: Sendable, Hashable, CustomStringConvertible {
    /// The kind of source: the `source` label of `http_client_pool_config_source`.
    @nonexhaustive
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// The built-in default.
        case `default`
        /// An environment variable.
        case environment
        /// A file of the configuration reader.
        case file
        /// Another provider of the configuration reader.
        case provider
        /// Set in code.
        case code
        /// Changed by a reload while the pool was running.
        case reload
    }

    /// The kind of source.
    public let kind: Kind
    /// The variable or key, as its provider spells it: `HTTP_CLIENT_TIMEOUT`, `httpClient.timeout`. For a default,
    /// the one that would set it; `nil` for code.
    public let name: String?
    /// The provider, if it is neither the environment nor a file: `InMemoryProvider[limits]`.
    public let provider: String?

    private init(_ kind: Kind, _ name: String?, provider: String? = nil) {
        self.kind = kind
        self.name = name
        self.provider = provider
    }

    /// The built-in default.
    public static let `default` = SettingSource(.default, nil)
    /// The built-in default, with the variable, key or property that would override it.
    static func `default`(setBy name: String) -> SettingSource { SettingSource(.default, name) }
    /// Set in code.
    public static let code = SettingSource(.code, nil)
    /// Set by an environment variable.
    public static func environment(_ variable: String) -> SettingSource { SettingSource(.environment, variable) }
    /// Set by a key of a file.
    public static func file(_ key: String) -> SettingSource { SettingSource(.file, key) }
    /// Set by a key of another provider.
    public static func provider(_ provider: String, _ key: String) -> SettingSource {
        SettingSource(.provider, key, provider: provider)
    }
    /// Changed by a variable or key that was reloaded while the pool was running.
    public static func reload(_ name: String, provider: String? = nil) -> SettingSource {
        SettingSource(.reload, name, provider: provider)
    }

    /// A short text: `HTTP_CLIENT_TIMEOUT`, `default HTTP_CLIENT_TIMEOUT`, `httpClient.timeout (file)`, `code`.
    public var description: String {
        guard let name else { return kind.rawValue }
        switch kind {
        case .default: return "default \(name)"
        case .environment, .code: return name
        case .file, .reload: return "\(name) (\(kind.rawValue))"
        case .provider: return "\(name) (\(provider ?? kind.rawValue))"
        }
    }

    /// Compares kind, name and provider. Defaults are equal, whatever would override them.
    public static func == (a: SettingSource, b: SettingSource) -> Bool {
        a.kind == b.kind && (a.kind == .default || (a.name == b.name && a.provider == b.provider))
    }

    /// Consistent with `==`.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        if kind != .default { hasher.combine(name) }
    }
}

/// How settings are named in the place where they are set.
enum SettingNaming: Sendable, Hashable {
    /// By property, for a configuration made in code.
    case properties
    /// By environment variables with this prefix and an underscore.
    case variables(String)
    /// By keys under this one.
    case keys(String)

    /// The name of the variable or the full key; for properties, the key itself.
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
    /// Converts `maxConnections` to `MAX_CONNECTIONS`.
    fileprivate var snakeCased: String {
        reduce(into: "") { text, character in
            if character.isUppercase { text += "_" }
            text += character.uppercased()
        }
    }
}

/// The source of each setting of a configuration.
struct SettingSources: Sendable, Hashable {
    private var byKey: [String: SettingSource] = [:]
    /// How unset settings are named.
    var naming = SettingNaming.properties
    /// Unknown names that resemble settings but may belong to another program.
    var unknown: [ConfigurationError.Problem] = []

    subscript(setting: PoolSetting) -> SettingSource {
        get { byKey[setting.key] ?? .default(setBy: naming.name(of: setting)) }
        set { byKey[setting.key] = newValue.kind == .default ? nil : newValue }
    }

    /// The name of a setting in errors.
    func name(of setting: PoolSetting) -> String { self[setting].name ?? setting.property }

    /// Creates an error about a setting.
    func problem(_ setting: PoolSetting, _ problem: SettingProblem) -> ConfigurationError.Problem {
        ConfigurationError.Problem(
            name: name(of: setting),
            value: problem.value,
            allowed: problem.allowed,
            provider: self[setting].provider
        )
    }

    // Naming and unknown names are not part of a configuration's identity.
    static func == (a: SettingSources, b: SettingSources) -> Bool { a.byKey == b.byKey }
    func hash(into hasher: inout Hasher) { hasher.combine(byKey) }
}
