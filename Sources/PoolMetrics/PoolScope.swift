/// What `poolscope_build_info` says about the library itself.
public enum PoolScope {
    /// The version of PoolScope.
    public static let version = "0.1.0"

    /// The compiler that built it, as far as a program can ask: major and minor.
    static let swiftVersion: String = {
        #if compiler(>=6.4)
        "6.4"
        #else
        "6.3"
        #endif
    }()
}
