package import Configuration

extension PoolConfiguration {
    /// What this configuration, which is in force, becomes when its reader is read anew: what a restart would lead to.
    ///
    /// What the program set stays. What has another value now is marked as reloaded, everything else keeps its source.
    ///
    /// - Throws: ``ConfigurationError`` for wrong values, for keys that are not settings, and for a transport that is another
    ///   now.
    package func reloaded(from snapshot: ConfigSnapshotReader) throws(ConfigurationError) -> PoolConfiguration {
        var next = try PoolConfiguration(snapshot: snapshot)
        for setting in PoolSetting.reloadable where source(of: setting) == .code { next.take(setting, from: self) }
        try next.validate()
        try refuseTransport(of: next)
        for setting in PoolSetting.all {
            let source = next.source(of: setting)
            if !setting.isReloadable {
                next.take(setting, from: self)
            } else if source.kind != .default, source.kind != .code {
                // What says the same as before keeps its source, and a default that somebody sets now gets one.
                if !isSame(setting, as: next) {
                    next.setSource(of: setting, to: .reload(source.name ?? setting.key, provider: source.provider))
                } else if self.source(of: setting) != .default {
                    next.setSource(of: setting, to: self.source(of: setting))
                }
            }
        }
        next.values.transport = values.transport
        return next
    }

    /// The settings that this configuration has from a source, and that `next` has from none.
    package func settingsGone(in next: PoolConfiguration) -> [PoolSetting] {
        PoolSetting.reloadable.filter { source(of: $0) != .default && next.source(of: $0) == .default }
    }

    /// Connections that exist were opened under the transport in force, so nothing of it changes.
    private func refuseTransport(of next: PoolConfiguration) throws(ConfigurationError) {
        let problems = PoolSetting.all
            .filter { !$0.isReloadable && source(of: $0) != .code && !isSame($0, as: next) }
            .map { setting in
                let source = next.source(of: setting) == .default ? source(of: setting) : next.source(of: setting)
                return ConfigurationError.Problem(
                    name: source.name ?? setting.property,
                    value: next.value(of: setting).description,
                    allowed: "\(value(of: setting)) as at the start; it does not change while the pool runs",
                    provider: source.provider
                )
            }
        if !problems.isEmpty { throw ConfigurationError(problems: problems) }
    }
}
