private import Glibc

/// Exits a service that cannot start.
public enum StartFailure {
    /// Prints an error to standard error and exits.
    ///
    /// Call it where a service starts. An error thrown from `main` would also end the process, but as a crash, with
    /// a backtrace that hides the message about an invalid setting.
    ///
    /// The exit status is 78 (EX_CONFIG of sysexits.h) for a ``ConfigurationError``, and 1 for other errors.
    public static func exit(reporting error: any Error) -> Never {
        let text = "\(error)\n"
        // A failure to write cannot be reported anywhere.
        _ = text.utf8.withContiguousStorageIfAvailable { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
        Glibc.exit(error is ConfigurationError ? 78 : 1)
    }
}
