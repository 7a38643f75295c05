extension PoolConfiguration {
    /// File descriptors needed besides connections: standard streams, the pool, the endpoint and the runtime. The
    /// pool itself leaves the last eight of the process unused.
    package static let otherDescriptors = 32

    /// Warnings about the configuration.
    ///
    /// They are names that resemble settings but are not, such as a misspelled variable, a settings file without
    /// any setting, and more connections than the process may have file descriptors. `poolscope run` and
    /// `poolscope config` print them.
    ///
    /// - Parameter descriptorLimit: the maximum number of file descriptors of the process (the soft limit of
    ///   RLIMIT_NOFILE); `nil` for no limit.
    public func warnings(descriptorLimit: Int?) -> [ConfigurationError.Problem] {
        guard let descriptorLimit, limits.maxConnections > descriptorLimit - Self.otherDescriptors else {
            return sources.unknown
        }
        let most = max(0, descriptorLimit - Self.otherDescriptors)
        let problem = SettingProblem(
            value: value(of: .maxConnections).description,
            allowed: "at most \(most), which fit into RLIMIT_NOFILE (\(descriptorLimit))"
        )
        return sources.unknown + [sources.problem(.maxConnections, problem)]
    }
}
