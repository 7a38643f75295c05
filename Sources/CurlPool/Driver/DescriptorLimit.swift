import Glibc
import HTTPPool

/// How many descriptors this process may have open (RLIMIT_NOFILE), and what the pool leaves of them.
///
/// The runtime needs some at any moment: Swift's dispatch library ends the process when it cannot open a file in /proc,
/// the resolver opens files and sockets, and TLS its authorities. So the pool takes none of the last ones.
enum DescriptorLimit {
    /// So many of the highest numbers are left.
    private static let reserve = 8

    /// The soft limit; `nil` where it is unlimited.
    static var inForce: Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur != rlim_t.max else {
            return nil
        }
        return Int(clamping: limit.rlim_cur)
    }

    /// Whether the descriptor's number is one that is left to the runtime.
    static func isReserved(_ descriptor: Int32) -> Bool {
        guard let limit = inForce else { return false }
        return Int(descriptor) >= limit - reserve
    }

    /// Whether the next descriptor would be such a one, or cannot be had.
    static var isReached: Bool {
        let descriptor = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else { return errno == EMFILE }
        defer { close(descriptor) }
        return isReserved(descriptor)
    }

    /// The error of a request that there was no descriptor for.
    ///
    /// - Parameter number: what the system said.
    static func error(_ number: Int32) -> PoolError {
        if number == ENFILE {
            let reason = "no descriptor is left for another connection: the system's table of open files is full"
            return PoolError(.outOfResources, reason, phase: .connect)
        }
        let limit = inForce.map(String.init) ?? "unlimited"
        return PoolError(
            .outOfResources,
            "no descriptor is left for another connection: RLIMIT_NOFILE = \(limit), of which the last \(reserve) are kept free",
            phase: .connect
        )
    }
}
