package import Configuration

extension PoolConfiguration {
    /// The configuration that results from reloading, given this one is in force: the same as after a restart.
    ///
    /// Values set in code are kept. Changed values get the source `reload`, others keep their source.
    ///
    /// - Parameter endpoint: the endpoint's configuration at the start; `nil` if unknown.
    /// - Throws: ``ConfigurationError`` for invalid values, unknown keys, and a changed transport or endpoint.
    package func reloaded(
        from snapshot: ConfigSnapshotReader,
        endpoint: EndpointConfiguration? = nil
    ) throws(ConfigurationError) -> PoolConfiguration {
        let read = try PoolScopeConfiguration(snapshot: snapshot)
        var next = read.pool
        for setting in PoolSetting.reloadable where source(of: setting) == .code { next.take(setting, from: self) }
        try next.validate()
        let inForce = PoolScopeConfiguration(pool: self, endpoint: endpoint ?? read.endpoint)
        try inForce.refuseOthers(of: PoolScopeConfiguration(pool: next, endpoint: read.endpoint))
        for setting in PoolSetting.all {
            let source = next.source(of: setting)
            if !setting.isReloadable {
                next.take(setting, from: self)
            } else if source.kind != .default, source.kind != .code {
                // An unchanged value keeps its source, unless it was a default that is now set explicitly.
                if !isSame(setting, as: next) {
                    next.setSource(of: setting, to: .reload(source.name ?? setting.key, provider: source.provider))
                } else if self.source(of: setting) != .default {
                    next.setSource(of: setting, to: self.source(of: setting))
                }
            }
        }
        next.values.transport = values.transport
        next.values.series = values.series
        return next
    }

    /// The settings that have a source in this configuration and are defaults in `next`.
    package func settingsGone(in next: PoolConfiguration) -> [PoolSetting] {
        PoolSetting.reloadable.filter { source(of: $0) != .default && next.source(of: $0) == .default }
    }
}

extension PoolScopeConfiguration {
    /// Rejects changes of settings that are fixed while the process runs: existing connections were opened with the
    /// current transport, its metrics have begun, and the endpoint is already listening.
    fileprivate func refuseOthers(of next: PoolScopeConfiguration) throws(ConfigurationError) {
        let problems = PoolSetting.fixed
            .filter { source(of: $0) != .code && !$0.isSame(in: next, and: self) }
            .map { setting in
                let source = next.source(of: setting) == .default ? source(of: setting) : next.source(of: setting)
                return ConfigurationError.Problem(
                    name: source.name ?? setting.property,
                    value: setting.value(in: next).description,
                    allowed: "\(setting.value(in: self)) as at the start; it does not change while the process runs",
                    provider: source.provider
                )
            }
        if !problems.isEmpty { throw ConfigurationError(problems: problems) }
    }
}
