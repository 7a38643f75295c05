private import Glibc

/// What the process has used up to a moment.
public struct ProcessUsage: Sendable {
    /// The monotonic clock, in nanoseconds.
    public let nanoseconds: UInt64
    /// User and system time of all threads, in microseconds.
    public let cpuMicroseconds: Double

    /// Reads both.
    public static func now() -> ProcessUsage {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let cpu = microseconds(usage.ru_utime) + microseconds(usage.ru_stime)
        return ProcessUsage(nanoseconds: clock(), cpuMicroseconds: cpu)
    }

    /// The monotonic clock, in nanoseconds.
    public static func clock() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// The most memory that the process ever had resident, in KiB.
    ///
    /// Not from `getrusage`: its figure includes what the process had before it became this program.
    public static func peakResidentKiB() -> Int {
        guard let file = fopen("/proc/self/status", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            if text.hasPrefix("VmHWM:") { return Int(text.filter(\.isNumber)) ?? 0 }
        }
        return 0
    }

    /// Lets the process have as many descriptors as the system allows it.
    public static func raiseDescriptorLimit() {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    private static func microseconds(_ time: timeval) -> Double { Double(time.tv_sec) * 1e6 + Double(time.tv_usec) }
}
