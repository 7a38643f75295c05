/// The version of PoolScope, for `poolscope_build_info` and the `User-Agent`.
public enum PoolScopeVersion {
    /// The version, such as `0.1.0`.
    public static let current = "0.1.0"
}
