extension PoolConfiguration {
    /// Beside its connections a process has descriptors for its standard streams, the pool, the endpoint and the runtime; the
    /// pool takes none of the last eight.
    private static let otherDescriptors = 32

    /// What of the configuration the process cannot keep: not an error, since fewer connections may be enough.
    ///
    /// `poolscope run` and `poolscope config` print it.
    ///
    /// - Parameter descriptorLimit: how many descriptors the process may open (the soft limit of RLIMIT_NOFILE); `nil` for no
    ///   limit.
    public func warnings(descriptorLimit: Int?) -> [ConfigurationError.Problem] {
        guard let descriptorLimit, limits.maxConnections > descriptorLimit - Self.otherDescriptors else { return [] }
        let most = max(0, descriptorLimit - Self.otherDescriptors)
        return [
            ConfigurationError.Problem(
                name: source(of: .maxConnections).variable ?? PoolSetting.maxConnections.variable,
                value: value(of: .maxConnections).description,
                allowed: "at most \(most), which fit into RLIMIT_NOFILE (\(descriptorLimit))"
            )
        ]
    }
}
