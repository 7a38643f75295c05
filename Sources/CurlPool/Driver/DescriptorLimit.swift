import Glibc
import HTTPPool

/// The process's limit of open descriptors (RLIMIT_NOFILE), and the reserve that the pool leaves free.
///
/// The runtime may need descriptors at any time: Swift's dispatch library ends the process when it cannot open a
/// file in /proc, the resolver opens files and sockets, and TLS opens files of authorities. So the pool does not
/// use the last ones.
enum DescriptorLimit {
    /// How many of the highest descriptor numbers are reserved.
    private static let reserve = 8

    /// The soft limit; `nil` if unlimited.
    static var inForce: Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur != rlim_t.max else {
            return nil
        }
        return Int(clamping: limit.rlim_cur)
    }

    /// Whether the descriptor's number is in the reserve.
    static func isReserved(_ descriptor: Int32) -> Bool {
        guard let limit = inForce else { return false }
        return Int(descriptor) >= limit - reserve
    }

    /// Whether the next descriptor would be in the reserve, or cannot be opened at all.
    static var isReached: Bool {
        let descriptor = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else { return errno == EMFILE }
        defer { close(descriptor) }
        return isReserved(descriptor)
    }

    /// The error of a request for which no descriptor was available.
    ///
    /// - Parameter number: the `errno` value.
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
