package import Configuration

extension PoolConfiguration {
    /// What this configuration, which is in force, becomes when its reader is read anew: what a restart would lead to.
    ///
    /// What the program set stays. What has another value now is marked as reloaded, everything else keeps its source.
    ///
    /// - Throws: ``ConfigurationError`` for wrong values, and for a transport that is another now.
    package func reloaded(
        from snapshot: ConfigSnapshotReader,
        names: SettingNames
    ) throws(ConfigurationError) -> PoolConfiguration {
        var next = try PoolConfiguration(snapshot: snapshot, names: names)
        for setting in PoolSetting.allCases where source(of: setting) == .code {
            next.set(setting, to: value(of: setting), from: .code)
        }
        try next.validate()
        try refuseTransport(of: next)
        next.takeTransport(of: self)
        for setting in PoolSetting.allCases {
            let new = next.source(of: setting)
            guard new.kind == .environment, let name = new.variable else { continue }
            if next.value(of: setting) != value(of: setting) {
                next.attribute(setting, to: .reload(name))
            } else if source(of: setting) != .default {
                next.attribute(setting, to: source(of: setting))
            }
        }
        return next
    }

    /// Connections that exist were opened under the transport in force, so nothing of it changes.
    private func refuseTransport(of next: PoolConfiguration) throws(ConfigurationError) {
        let problems = TransportSetting.allCases
            .filter { source(of: $0) != .code && !$0.isSame(in: next.transport, and: transport) }
            .map { setting in
                ConfigurationError.Problem(
                    name: next.source(of: setting).variable ?? source(of: setting).variable ?? setting.variable,
                    value: setting.text(in: next.transport),
                    allowed: "\(setting.text(in: transport)) as at the start; it does not change while the pool runs"
                )
            }
        if !problems.isEmpty { throw ConfigurationError(problems: problems) }
    }
}
