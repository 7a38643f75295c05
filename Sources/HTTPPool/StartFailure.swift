private import Glibc

/// How a service ends that cannot start.
public enum StartFailure {
    /// Ends the process because of an error, which is printed to standard error.
    ///
    /// Call it where a service starts. An error that leaves `main` would end the process as well, but as a crash, with a
    /// backtrace in which the message about a wrong setting is lost.
    ///
    /// The status is 78 (EX_CONFIG of sysexits.h) for a ``ConfigurationError``, and 1 for anything else.
    public static func exit(reporting error: any Error) -> Never {
        let text = "\(error)\n"
        // A failure to write cannot be reported anywhere.
        _ = text.utf8.withContiguousStorageIfAvailable { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
        Glibc.exit(error is ConfigurationError ? 78 : 1)
    }
}
