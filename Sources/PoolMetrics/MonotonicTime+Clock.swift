import Glibc
import HTTPPool

extension MonotonicTime {
    /// Now, on the system's monotonic clock, which is the one that pools use.
    static func read() -> MonotonicTime {
        var time = timespec()
        // The call cannot fail: the clock exists on every Linux, and the address is that of a local variable.
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec))
    }
}

extension Double {
    /// Now, by the clock on the wall.
    static func secondsSince1970() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
