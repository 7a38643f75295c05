import Glibc
import Synchronization

/// Metrics of the process from the operating system. Values that cannot be read are `nil` and omitted.
public struct ProcessReading: Sendable {
    /// CPU time used, user and system, in seconds.
    public var cpuSeconds: Double?
    /// Resident memory, in bytes.
    public var residentMemoryBytes: Double?
    /// The number of open file descriptors.
    public var openDescriptors: Double?
    /// The maximum number of open file descriptors; infinity for no limit.
    public var maxDescriptors: Double?
    /// The start time of the process, in seconds since 1970.
    public var startTimeSeconds: Double?

    /// Creates a reading without values.
    public init() {}

    /// Reads the current values.
    public static func current() -> ProcessReading {
        var reading = ProcessReading()
        reading.cpuSeconds = seconds(of: CLOCK_PROCESS_CPUTIME_ID)
        reading.residentMemoryBytes = residentBytes()
        reading.openDescriptors = countDescriptors()
        reading.maxDescriptors = descriptorLimit()
        reading.startTimeSeconds = startTime
        return reading
    }

    private static func seconds(of clock: clockid_t) -> Double? {
        var time = timespec()
        guard clock_gettime(clock, &time) == 0 else { return nil }
        let seconds = Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        return seconds > 0 ? seconds : nil
    }

    /// The second field of `statm` is the number of resident pages.
    private static func residentBytes() -> Double? {
        guard let statm = text(of: "/proc/self/statm") else { return nil }
        let fields = statm.split(separator: " ")
        guard fields.count > 1, let pages = Double(fields[1]), pages > 0 else { return nil }
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static func countDescriptors() -> Double? {
        // Since Linux 6.2 the size of the directory is the number of descriptors, which avoids reading thousands of
        // entries at every scrape.
        var status = stat()
        if stat("/proc/self/fd", &status) == 0, status.st_size > 0 { return Double(status.st_size) }
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var entries = 0
        while readdir(directory) != nil { entries += 1 }
        // Excludes `.`, `..`, and the descriptor of the directory itself.
        return entries > 3 ? Double(entries - 3) : nil
    }

    private static func descriptorLimit() -> Double? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return limit.rlim_cur == rlim_t.max ? .infinity : Double(limit.rlim_cur)
    }

    /// Computed once: as the difference of two clocks, it would fluctuate between scrapes. Without a file descriptor it cannot be
    /// read, and is tried again the next time.
    private static var startTime: Double? {
        knownStartTime.withLock { known in
            known = known ?? readStartTime()
            return known
        }
    }

    private static let knownStartTime = Mutex<Double?>(nil)

    private static func readStartTime() -> Double? {
        guard let stat = text(of: "/proc/self/stat"), let nameEnd = stat.lastIndex(of: ")"),
            let now = seconds(of: CLOCK_REALTIME), let sinceBoot = seconds(of: CLOCK_BOOTTIME)
        else { return nil }
        // Fields are separated by spaces only after the program's name, which may contain spaces. The start time is
        // field 22, in clock ticks since boot.
        let fields = stat[nameEnd...].split(separator: " ")
        guard fields.count > 20, let ticks = Double(fields[20]) else { return nil }
        return now - sinceBoot + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// The first 2048 bytes of a file.
    private static func text(of path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 2048)
        let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        guard count > 0 else { return nil }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
