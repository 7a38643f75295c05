private import Glibc

/// A reading of the system's monotonic clock, in nanoseconds. Only differences between two readings mean anything.
public struct MonotonicTime: Sendable, Hashable, Comparable {
    /// Nanoseconds since a moment that the system chose.
    public var nanoseconds: UInt64

    /// Makes a reading from nanoseconds.
    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// The time now, by the clock that pools use (`CLOCK_MONOTONIC`).
    public static func now() -> MonotonicTime {
        var time = timespec()
        // Cannot fail: the clock exists on every Linux, and the address is that of a local variable.
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec))
    }

    /// Earlier than.
    public static func < (a: Self, b: Self) -> Bool { a.nanoseconds < b.nanoseconds }

    /// The nanoseconds from `earlier` to `later`; 0 where `earlier` is not earlier.
    public static func - (later: Self, earlier: Self) -> UInt64 {
        later.nanoseconds > earlier.nanoseconds ? later.nanoseconds - earlier.nanoseconds : 0
    }

    /// The moment `nanoseconds` after this one. It stays at the last representable moment rather than wrap around.
    public static func + (time: Self, nanoseconds: UInt64) -> Self {
        let (sum, overflow) = time.nanoseconds.addingReportingOverflow(nanoseconds)
        return Self(nanoseconds: overflow ? .max : sum)
    }
}

extension Duration {
    /// Whole nanoseconds, not below 0 and at most what 64 bits hold.
    package var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carried) = product.addingReportingOverflow(UInt64(attoseconds) / 1_000_000_000)
        return overflow || carried ? .max : sum
    }

    /// The duration in seconds, as metrics write it.
    package var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
