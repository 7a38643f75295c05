import HTTPPool

extension PoolScope {
    /// The compiler that built it, as far as a program can ask: major and minor.
    static let swiftVersion: String = {
        #if compiler(>=6.4)
        "6.4"
        #else
        "6.3"
        #endif
    }()
}
