private import Glibc

/// A reading of the monotonic clock, in nanoseconds. Only differences between two readings are meaningful.
public struct MonotonicTime: Sendable, Hashable, Comparable {
    /// Nanoseconds since an unspecified reference time.
    public var nanoseconds: UInt64

    /// Creates a reading from nanoseconds.
    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// The current time of the clock used by pools (`CLOCK_MONOTONIC`).
    public static func now() -> MonotonicTime {
        var time = timespec()
        // Cannot fail: the clock exists on every Linux, and the address is that of a local variable.
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec))
    }

    /// Whether `a` is earlier than `b`.
    public static func < (a: Self, b: Self) -> Bool { a.nanoseconds < b.nanoseconds }

    /// The nanoseconds from `earlier` to `later`; 0 if `earlier` is not earlier.
    public static func - (later: Self, earlier: Self) -> UInt64 {
        later.nanoseconds > earlier.nanoseconds ? later.nanoseconds - earlier.nanoseconds : 0
    }

    /// The time `nanoseconds` later. Saturates at the last representable time.
    public static func + (time: Self, nanoseconds: UInt64) -> Self {
        let (sum, overflow) = time.nanoseconds.addingReportingOverflow(nanoseconds)
        return Self(nanoseconds: overflow ? .max : sum)
    }
}

extension Duration {
    /// Whole nanoseconds, clamped to 0...`UInt64.max`.
    package var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carried) = product.addingReportingOverflow(UInt64(attoseconds) / 1_000_000_000)
        return overflow || carried ? .max : sum
    }

    /// The duration in seconds, the unit of metrics.
    package var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
