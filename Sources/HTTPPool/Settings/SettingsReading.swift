import Configuration

/// Reads all settings from a snapshot of a configuration reader and collects the problems.
struct SettingsReading {
    private let reader: ConfigSnapshotReader
    private let providers: SettingProviders
    /// The configuration; settings with invalid values have their defaults.
    private(set) var configuration = PoolScopeConfiguration()
    /// The problems, in the order of the settings.
    private(set) var problems: [ConfigurationError.Problem] = []
    /// The keys of settings whose values were rejected.
    private var refused: Set<String> = []

    init(_ reader: ConfigSnapshotReader) { self.init(reader, SettingProviders(reader)) }

    init(_ reader: ConfigSnapshotReader, _ providers: SettingProviders) {
        self.reader = reader
        self.providers = providers
        let unknown = providers.unknown(besides: PoolSetting.table.map(\.key))
        configuration.pool.sources.naming = providers.naming
        configuration.endpoint.sources.naming = providers.naming
        configuration.pool.sources.unknown = unknown.doubtful
        for setting in PoolSetting.table { read(setting) }
        // Values were checked when they were read; what remains are rules that relate two settings.
        problems += configuration.pool.problems(besides: refused) + unknown.certain
    }

    private mutating func read(_ setting: PoolSetting) {
        let text = text(of: setting)
        guard let finding = providers.find(setting.key) ?? stranger(setting, text: text) else { return }
        guard let text else {
            refuse(setting, "neither text nor a number", allowed: setting.allowed, finding.source)
            return
        }
        let shown = finding.isSecret ? "(hidden)" : setting.shown(text)
        guard setting.read(text, into: &configuration) else {
            refuse(setting, shown, allowed: setting.allowed, finding.source)
            return
        }
        if let need = setting.requirement, !need.holds(configuration) {
            // The problem of the other setting has been reported already.
            if refused.contains(need.key) { return }
            refuse(setting, shown, allowed: "\(need.words) \(providers.naming.name(ofKey: need.key))", finding.source)
            return
        }
        for target in setting.spreads.isEmpty ? [setting] : setting.spreads {
            configuration.setSource(of: target, to: finding.source)
        }
    }

    private mutating func refuse(_ setting: PoolSetting, _ value: String, allowed: String, _ source: SettingSource) {
        refused.insert(setting.key)
        let name = source.name ?? setting.property
        problems.append(.init(name: name, value: value, allowed: allowed, provider: source.provider))
    }

    /// The text of a setting, or its number as text: typed providers (a JSON file) have numbers where the
    /// environment has text. `nil` if there is no value, or one of another type.
    private func text(of setting: PoolSetting) -> String? {
        let key = ConfigKey(["httpClient", setting.key])
        let isSecret = setting.mayHoldSecret
        return reader.string(forKey: key, isSecret: isSecret)
            ?? reader.int(forKey: key, isSecret: isSecret).map { String($0) }
            ?? reader.double(forKey: key, isSecret: isSecret).map { String($0) }
    }

    /// The source of a value if the providers are unknown; `nil` if there is no value.
    private func stranger(_ setting: PoolSetting, text: String?) -> SettingProviders.Finding? {
        guard !providers.areKnown else { return nil }
        let key = ConfigKey(["httpClient", setting.key])
        let isThere =
            text != nil || reader.bool(forKey: key) != nil || reader.stringArray(forKey: key) != nil
            || reader.intArray(forKey: key) != nil || reader.doubleArray(forKey: key) != nil
            || reader.boolArray(forKey: key) != nil
            || reader.bytes(forKey: key) != nil || reader.byteChunkArray(forKey: key) != nil
        let source = SettingSource.provider("ConfigReader", providers.naming.name(ofKey: setting.key))
        return isThere ? SettingProviders.Finding(source: source) : nil
    }
}
