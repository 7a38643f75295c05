private import Glibc

/// The library itself.
public enum PoolScope {
    /// The version of PoolScope, for `poolscope_build_info` and the `User-Agent`.
    public static let version = "0.1.0"

    /// Ends the process because of an error: its lines go to standard error.
    ///
    /// Call it where a service starts. An error that leaves `main` would end the process too, but as a crash, with a trace in which
    /// the line that says what is wrong with a setting is lost.
    ///
    /// The status is 78 (EX_CONFIG of sysexits.h) for a ``ConfigurationError``, and 1 for anything else.
    public static func exit(reporting error: any Error) -> Never {
        let text = "\(error)\n"
        // There is nowhere to report to that this could not be written.
        _ = text.utf8.withContiguousStorageIfAvailable { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
        Glibc.exit(error is ConfigurationError ? 78 : 1)
    }
}
