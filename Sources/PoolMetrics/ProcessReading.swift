import Glibc

/// What the system says about this process. What cannot be read is `nil` and is left out of the exposition.
public struct ProcessReading: Sendable {
    /// Processor time used so far, user and system together, in seconds.
    public var cpuSeconds: Double?
    /// Memory that is resident, in bytes.
    public var residentMemoryBytes: Double?
    /// Descriptors that are open.
    public var openDescriptors: Double?
    /// Descriptors that may be open; infinity where there is no limit.
    public var maxDescriptors: Double?
    /// When the process started, in seconds since 1970.
    public var startTimeSeconds: Double?

    /// Nothing is known.
    public init() {}

    /// Reads them now.
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
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// The second number of `statm` is the resident pages.
    private static func residentBytes() -> Double? {
        guard let statm = text(of: "/proc/self/statm") else { return nil }
        let fields = statm.split(separator: " ")
        guard fields.count > 1, let pages = Double(fields[1]) else { return nil }
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static func countDescriptors() -> Double? {
        // Since Linux 6.2 the folder's size is the number, and thousands of entries need not be read at every scrape.
        var status = stat()
        if stat("/proc/self/fd", &status) == 0, status.st_size > 0 { return Double(status.st_size) }
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var entries = 0
        while readdir(directory) != nil { entries += 1 }
        // The entries `.` and `..`, and the descriptor of the directory itself, which is closed in a moment.
        return entries > 3 ? Double(entries - 3) : nil
    }

    private static func descriptorLimit() -> Double? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return limit.rlim_cur == rlim_t.max ? .infinity : Double(limit.rlim_cur)
    }

    /// Read once: it is the difference of two clocks, and must not waver between scrapes.
    private static let startTime: Double? = {
        guard let stat = text(of: "/proc/self/stat"), let nameEnd = stat.lastIndex(of: ")"),
            let now = seconds(of: CLOCK_REALTIME), let sinceBoot = seconds(of: CLOCK_BOOTTIME)
        else { return nil }
        // Only behind the program's name, which may hold anything, do spaces separate; the start is field 22,
        // in clock ticks since the system was booted.
        let fields = stat[nameEnd...].split(separator: " ")
        guard fields.count > 20, let ticks = Double(fields[20]) else { return nil }
        return now - sinceBoot + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }()

    /// The beginning of a small file.
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
