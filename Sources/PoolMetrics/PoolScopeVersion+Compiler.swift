import HTTPPool

extension PoolScopeVersion {
    /// The compiler version, as far as conditional compilation reveals it: it tests lower bounds only. A version is
    /// exact if a newer one is tested too, so the newest is "or newer". Package.swift requires 6.3.
    static let compiler: String = {
        #if compiler(>=6.5)
        "6.5 or newer"
        #elseif compiler(>=6.4)
        "6.4"
        #else
        "6.3"
        #endif
    }()
}
