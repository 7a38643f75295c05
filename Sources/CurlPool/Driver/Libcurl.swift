import CLibcurl
import Glibc
import HTTPPool

/// What of libcurl is one for the whole process.
enum Libcurl {
    /// Sets the library up, once; `nil` if that failed.
    static let backend: PoolBackend? = {
        // A write to a connection that the peer has closed must be an error, not the end of the process. A handler
        // that somebody installed stays.
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

    /// The system's bundle of certificates, as libcurl was built to find it.
    ///
    /// Naming the bundle and no directory lets libcurl keep the parsed bundle between connections. With Debian's
    /// default of both, every TLS connection parses it anew, 17 ms of CPU instead of 0.9.
    static let certificateBundle: String? = {
        guard let info = poolscope_version()?.pointee, let path = info.cainfo else { return nil }
        let bundle = String(cString: path)
        return access(bundle, R_OK) == 0 ? bundle : nil
    }()
}

extension String? {
    fileprivate var orUnknown: String { self ?? "unknown" }
}
