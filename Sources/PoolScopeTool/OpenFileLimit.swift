import Glibc
import HTTPPool

/// How many descriptors the tool may open (RLIMIT_NOFILE).
enum OpenFileLimit {
    /// The soft limit; `nil` where it is unlimited.
    static var current: Int? {
        guard let limit = read(), limit.rlim_cur != rlim_t.max else { return nil }
        return Int(clamping: limit.rlim_cur)
    }

    /// Raises the soft limit to the hard one, as Go's runtime does since 1.19. Where that is refused it stays as it is.
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
    /// Says on standard error what the process cannot keep of them.
    func warn(to console: Console) {
        for problem in pool.warnings(descriptorLimit: OpenFileLimit.current) { console.warn("warning: \(problem)") }
    }
}
