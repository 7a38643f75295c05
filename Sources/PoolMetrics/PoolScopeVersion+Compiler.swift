import HTTPPool

extension PoolScopeVersion {
    /// The compiler version, as far as conditional compilation reveals it.
    static let compiler: String = {
        #if compiler(>=6.4)
        "6.4 or newer"
        #else
        "6.3"
        #endif
    }()
}
