import Configuration

/// The providers of a configuration reader, and which of them has a value.
///
/// A `ConfigReader` says what a value is and not where it comes from: that is for the access reporter that it was made with.
/// So its providers are taken out of it by reflection. They are asked through their public interface alone, which also tells a
/// value that is missing from one that is wrong, and how each spells a key. Where a later version of swift-configuration keeps
/// them elsewhere, nothing is known of them, and values have the reader as their source; a test says so first.
struct SettingProviders: Sendable {
    /// What is known of a key.
    struct Finding: Sendable {
        var source: SettingSource
        /// Whether its provider marks the value as a secret.
        var isSecret = false
    }

    /// In the order in which they win; empty where they are not known.
    private let snapshots: [any ConfigSnapshot]
    /// The keys that the reader puts before those that it is asked for.
    private let scope: AbsoluteConfigKey

    init(_ reader: ConfigSnapshotReader) {
        let mirror = Mirror(reflecting: reader)
        let found = mirror.descendant("storage", "snapshot", "snapshots") as? [any ConfigSnapshot]
        self.init(found ?? [], scope: mirror.descendant("keyPrefix") as? AbsoluteConfigKey ?? AbsoluteConfigKey([]))
    }

    init(_ snapshots: [any ConfigSnapshot], scope: AbsoluteConfigKey = AbsoluteConfigKey([])) {
        self.snapshots = snapshots
        self.scope = scope
    }

    /// Whether anything is known of them.
    var areKnown: Bool { !snapshots.isEmpty }

    /// How settings are called that nothing has set: by variables where there is an environment.
    var naming: SettingNaming {
        snapshots.first { $0.isEnvironment }.map(naming) ?? .keys(base.description)
    }

    /// Who has a value for a setting's key; `nil` where nobody has.
    func find(_ key: String) -> Finding? {
        for snapshot in snapshots {
            do {
                let found = try snapshot.value(forKey: base.appending(ConfigKey([key])), type: .string)
                guard let value = found.value else { continue }
                return Finding(source: snapshot.source(of: found.encodedKey), isSecret: value.isSecret)
            } catch {
                // It has one of another type, or cannot be asked. Either way no other provider is asked.
                return Finding(source: snapshot.source(of: naming(snapshot).name(ofKey: key)))
            }
        }
        return nil
    }

    /// Names that look like settings and are not, each with the nearest that is.
    ///
    /// - Parameter keys: the keys of all settings.
    /// - Returns: those that are certainly meant as settings, for they are in our group of a file or another provider; and
    ///   those that may be somebody else's: variables of the environment, and names that are within two letters of a setting's
    ///   but in another group, such as `httpclient.timeout`.
    func unknown(besides keys: [String]) -> (
        certain: [ConfigurationError.Problem], doubtful: [ConfigurationError.Problem]
    ) {
        var certain: [ConfigurationError.Problem] = []
        var doubtful: [ConfigurationError.Problem] = []
        for snapshot in snapshots {
            let naming = naming(snapshot)
            let known = keys.map(naming.name)
            for name in snapshot.keys.subtracting(known).sorted() {
                let isOurs = naming.covers(name)
                guard let nearest = name.nearest(of: known, within: isOurs ? nil : 2) ?? (isOurs ? "" : nil) else {
                    continue
                }
                let provider = snapshot.source(of: name).provider
                let problem = ConfigurationError.Problem(unknown: name, nearest: nearest, provider: provider)
                if isOurs, !snapshot.isEnvironment { certain.append(problem) } else { doubtful.append(problem) }
            }
        }
        return (certain, doubtful)
    }

    private var base: AbsoluteConfigKey { scope.appending(ConfigKey(["httpClient"])) }

    private func naming(_ snapshot: any ConfigSnapshot) -> SettingNaming {
        guard snapshot.isEnvironment else { return .keys(base.description) }
        let spelled = try? snapshot.value(forKey: base, type: .string).encodedKey
        return .variables(spelled ?? "HTTP_CLIENT")
    }
}

extension SettingNaming {
    /// Whether a name is one of a setting, right or wrong.
    fileprivate func covers(_ name: String) -> Bool {
        switch self {
        case .properties: false
        case .variables(let base): name.hasPrefix(base + "_")
        // What is said to be a group and is a value is covered too.
        case .keys(let base): name.hasPrefix(base + ".") || name == base
        }
    }
}

extension ConfigSnapshot {
    /// Whether it is one of the provider of environment variables, whose own type of snapshot is not public.
    fileprivate var isEnvironment: Bool {
        type(of: self) == type(of: EnvironmentVariablesProvider(environmentVariables: [:]).snapshot())
    }

    fileprivate func source(of name: String) -> SettingSource {
        if isEnvironment { return .environment(name) }
        return self is any FileConfigSnapshot ? .file(name) : .provider(providerName, name)
    }

    /// The names that it has values for, as it spells them; none where it does not hold them in a dictionary. There is no
    /// public interface for it.
    fileprivate var keys: Set<String> {
        let dictionaries = Mirror(reflecting: self).children.compactMap { $0.value as? [AnyHashable: Any] }
        return Set(
            dictionaries.flatMap { $0.keys }.compactMap {
                ($0.base as? String) ?? ($0.base as? AbsoluteConfigKey)?.description
            }
        )
    }
}
