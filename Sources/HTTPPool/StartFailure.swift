private import Glibc

/// Exits a service that cannot start.
public enum StartFailure {
    /// Prints an error to standard error and exits.
    ///
    /// Call it where a service starts. An error thrown from `main` would also end the process, but as a crash, with
    /// a backtrace that hides the message about an invalid setting.
    ///
    /// The exit status is 78 (EX_CONFIG of sysexits.h) for a ``ConfigurationError``; for a settings file that is
    /// missing, unreadable or not valid (``SettingsFileError``, and the errors of swift-configuration's file
    /// providers); and where the endpoint's credentials, certificate or key cannot be used (`EndpointError`). It is 1
    /// for other errors.
    public static func exit(reporting error: any Error) -> Never {
        let report = report(of: error)
        let text = report.text + "\n"
        // A failure to write cannot be reported anywhere.
        _ = text.utf8.withContiguousStorageIfAvailable { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
        Glibc.exit(report.status)
    }

    /// What is printed for an error, and the exit status.
    package static func report(of error: any Error) -> (text: String, status: Int32) {
        if let file = SettingsFileError(error) { return (file.description, wrongConfiguration) }
        let isOfSetting = error is ConfigurationError || (error as? any SettingFault)?.isOfSetting == true
        return ("\(error)", isOfSetting ? wrongConfiguration : 1)
    }

    /// EX_CONFIG of sysexits.h.
    package static let wrongConfiguration: Int32 = 78
}

/// An error of another module that may be the fault of a setting, such as of a file that one names.
package protocol SettingFault: Error {
    /// Whether it is, so that a start fails until the setting or its file is mended.
    var isOfSetting: Bool { get }
}
