/// The library itself.
public enum PoolScope {
    /// The version of PoolScope, for `poolscope_build_info` and the `User-Agent`.
    public static let version = "0.1.0"
}
