import Glibc
import HTTPPool

/// The limit on open file descriptors (RLIMIT_NOFILE).
enum OpenFileLimit {
    /// The soft limit; `nil` if unlimited.
    static var current: Int? {
        guard let limit = read(), limit.rlim_cur != rlim_t.max else { return nil }
        return Int(clamping: limit.rlim_cur)
    }

    /// Raises the soft limit to the hard limit, as Go's runtime does since 1.19. A failure leaves it unchanged.
    static func raise() {
        guard var limit = read() else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    private static func read() -> rlimit? {
        var limit = rlimit()
        return getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? limit : nil
    }
}

extension Settings {
    /// Prints the warnings of the pool's configuration to standard error.
    func warn(to console: Console) {
        for problem in pool.warnings(descriptorLimit: OpenFileLimit.current) { console.warn("warning: \(problem)") }
    }

    /// Prints a warning if the built-in upstream, which is in the same process, has too few file descriptors for the
    /// connections of the load.
    func warnOfUpstream(concurrency: Int, to console: Console) {
        guard let limit = OpenFileLimit.current else { return }
        let most = max(0, (limit - PoolConfiguration.otherDescriptors) / 2)
        guard min(concurrency, pool.limits.maxConnections) > most else { return }
        console.warn(
            "warning: the built-in upstream is in this process, so each connection takes two file descriptors: "
                + "RLIMIT_NOFILE (\(limit)) is enough for \(most). Further connections get one response and are closed, "
                + "or fail with outOfResources"
        )
    }
}
