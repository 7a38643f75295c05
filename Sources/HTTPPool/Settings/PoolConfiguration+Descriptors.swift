extension PoolConfiguration {
    /// Beside its connections a process has descriptors for its standard streams, the pool, the endpoint and the runtime; the
    /// pool takes none of the last eight.
    private static let otherDescriptors = 32

    /// What of the configuration needs a look: not an error.
    ///
    /// These are names that look like settings and are not, such as a misspelt variable, and more connections than the process may
    /// have descriptors: fewer may be enough. `poolscope run` and `poolscope config` print them.
    ///
    /// - Parameter descriptorLimit: how many descriptors the process may open (the soft limit of RLIMIT_NOFILE); `nil` for no
    ///   limit.
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
