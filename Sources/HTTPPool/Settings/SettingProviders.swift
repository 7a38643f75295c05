import Configuration

/// The providers of a configuration reader, and which of them supplies a value.
///
/// A `ConfigReader` returns a value but not its source; only the access reporter passed at its creation learns
/// that. So the providers are extracted by reflection. They are then queried through their public interface, which
/// also distinguishes a missing value from an invalid one and reveals how a provider spells a key. If a later
/// version of swift-configuration stores them elsewhere, no provider is known, and the reader is given as the
/// source of every value; a test detects that.
struct SettingProviders: Sendable {
    /// The source of a key's value.
    struct Finding: Sendable {
        var source: SettingSource
        /// Whether the provider marks the value as secret.
        var isSecret = false
    }

    /// In order of precedence; empty if they are unknown.
    private let snapshots: [any ConfigSnapshot]
    /// The prefix that the reader adds to keys.
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

    /// Whether the providers are known.
    var areKnown: Bool { !snapshots.isEmpty }

    /// How unset settings are named: by environment variables if there is a provider of them.
    var naming: SettingNaming {
        snapshots.first { $0.isEnvironment }.map(naming) ?? .keys(base.description)
    }

    /// The first provider with a value for a setting's key; `nil` if none has one.
    func find(_ key: String) -> Finding? {
        for snapshot in snapshots {
            do {
                let found = try snapshot.value(forKey: base.appending(ConfigKey([key])), type: .string)
                guard let value = found.value else { continue }
                return Finding(source: snapshot.source(of: found.encodedKey), isSecret: value.isSecret)
            } catch {
                // The value has another type, or the lookup failed. In both cases later providers are not
                // consulted.
                return Finding(source: snapshot.source(of: naming(snapshot).name(ofKey: key)))
            }
        }
        return nil
    }

    /// Names that resemble settings but are not, each with the most similar setting.
    ///
    /// - Parameter keys: the keys of all settings.
    /// - Returns: `certain`: names that must have been meant as settings, because they are in our group of a file
    ///   or another provider, or are settings in a misspelt group or in none. `doubtful`: names that may belong to
    ///   another program: environment variables, and names that ``MisplacedKeys`` or two edits of a setting's name
    ///   leave open. A file without any setting is doubtful too.
    func unknown(besides keys: [String]) -> (
        certain: [ConfigurationError.Problem], doubtful: [ConfigurationError.Problem]
    ) {
        var certain: [ConfigurationError.Problem] = []
        var doubtful: [ConfigurationError.Problem] = []
        for snapshot in snapshots {
            let naming = naming(snapshot)
            let known = keys.map(naming.name)
            let names = snapshot.keys
            let hasGroup = names.contains { naming.covers($0) }
            let misplaced =
                snapshot.isEnvironment
                ? MisplacedKeys.Findings()
                : MisplacedKeys(group: base.description, settings: keys).find(among: names, hasGroup: hasGroup)
            func problem(_ name: String, _ nearest: String) -> ConfigurationError.Problem {
                .init(unknown: name, nearest: nearest, provider: snapshot.source(of: name).provider)
            }
            var found: [ConfigurationError.Problem] = []
            for name in names.subtracting(known).sorted() {
                let isOurs = naming.covers(name)
                if misplaced.cover(name) { continue }
                if name == base.description, !snapshot.isEnvironment {
                    found.append(.init(valueInPlaceOf: name, provider: snapshot.source(of: name).provider))
                    continue
                }
                guard let nearest = name.nearest(of: known, within: isOurs ? nil : 2) ?? (isOurs ? "" : nil) else {
                    continue
                }
                if isOurs, !snapshot.isEnvironment {
                    found.append(problem(name, nearest))
                } else {
                    doubtful.append(problem(name, nearest))
                }
            }
            found += misplaced.certain.map { problem($0.name, $0.nearest) }
            doubtful += misplaced.doubtful.map { problem($0.name, $0.nearest) }
            if found.isEmpty, !hasGroup, snapshot.isKnownFile, !snapshot.emptyObjects.contains(base.description) {
                doubtful.append(.init(missing: base.description))
            }
            certain += found
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
    /// Whether a name is in our group, known or not.
    fileprivate func covers(_ name: String) -> Bool {
        switch self {
        case .properties: false
        case .variables(let base): name.hasPrefix(base + "_")
        // A plain value in place of the group is covered too.
        case .keys(let base): name.hasPrefix(base + ".") || name == base
        }
    }
}

extension ConfigSnapshot {
    /// Whether the snapshot is of the provider of environment variables, whose snapshot type is not public.
    fileprivate var isEnvironment: Bool {
        type(of: self) == type(of: EnvironmentVariablesProvider(environmentVariables: [:]).snapshot())
    }

    fileprivate func source(of name: String) -> SettingSource {
        if isEnvironment { return .environment(name) }
        return self is any FileConfigSnapshot ? .file(name) : .provider(providerName, name)
    }

    /// The names that have values, as the provider spells them. Empty if the provider does not list them.
    fileprivate var keys: Set<String> {
        if let file = self as? any SettingsFileSnapshot { return file.keys }
        return Set(
            dictionaries.flatMap { $0.keys }.compactMap {
                ($0.base as? String) ?? ($0.base as? AbsoluteConfigKey)?.description
            }
        )
    }

    /// The names of empty objects, if the provider lists them.
    fileprivate var emptyObjects: Set<String> { (self as? any SettingsFileSnapshot)?.emptyObjects ?? [] }

    /// Whether it is a file whose names are known.
    fileprivate var isKnownFile: Bool {
        self is any SettingsFileSnapshot || (self is any FileConfigSnapshot && !dictionaries.isEmpty)
    }

    /// Where a provider keeps its values, found by reflection because there is no public interface.
    private var dictionaries: [[AnyHashable: Any]] {
        Mirror(reflecting: self).children.compactMap { $0.value as? [AnyHashable: Any] }
    }
}
