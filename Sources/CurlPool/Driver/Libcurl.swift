import CLibcurl
import Glibc
import HTTPPool

/// The process-wide state of libcurl.
enum Libcurl {
    /// Initializes the library on first use; `nil` if that failed.
    static let backend: PoolBackend? = {
        // Writing to a connection that the peer has closed must fail with an error, not kill the process. An
        // installed handler is left in place.
        var action = sigaction()
        if sigaction(SIGPIPE, nil, &action) == 0, action.__sigaction_handler.sa_handler == nil {
            signal(SIGPIPE, SIG_IGN)
        }
        guard poolscope_global_init() == CURLE_OK else { return nil }
        guard let version = poolscope_version()?.pointee else { return nil }
        return PoolBackend(
            library: "libcurl/" + version.version.map { String(cString: $0) }.orUnknown,
            tls: version.ssl_version.map { String(cString: $0) }.orUnknown,
            caution: LibcurlVersion.loaded.caution
        )
    }()

    /// The path of the system's certificate bundle, as built into libcurl.
    ///
    /// Setting the bundle and no folder lets libcurl cache the parsed bundle across connections. With Debian's
    /// default of both, every TLS connection parses it anew, which takes 17 ms of CPU time instead of 0.9 ms.
    static let certificateBundle: String? = {
        guard let info = poolscope_version()?.pointee, let path = info.cainfo else { return nil }
        let bundle = String(cString: path)
        return access(bundle, R_OK) == 0 ? bundle : nil
    }()
}

extension String? {
    fileprivate var orUnknown: String { self ?? "unknown" }
}
