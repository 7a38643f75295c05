package import Configuration

extension PoolConfiguration {
    /// What this configuration, which is in force, becomes when its reader is read anew: what a restart would lead to.
    ///
    /// What the program set stays. What has another value now is marked as reloaded, everything else keeps its source.
    ///
    /// - Parameter endpoint: what the reader said of the endpoint at the start; `nil` where nothing is known of it.
    /// - Throws: ``ConfigurationError`` for wrong values, for keys that are not settings, and for a transport or an endpoint
    ///   that is another now.
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
}

extension PoolScopeConfiguration {
    /// Refuses other values of what cannot change: connections that exist were opened under the transport in force, and the
    /// endpoint listens already.
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
