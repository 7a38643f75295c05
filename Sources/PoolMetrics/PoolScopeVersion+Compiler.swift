import HTTPPool

extension PoolScopeVersion {
    /// The compiler that built it, as far as a program can know: the newest version that it is at least.
    static let compiler: String = {
        #if compiler(>=6.4)
        "6.4 or newer"
        #else
        "6.3"
        #endif
    }()
}
