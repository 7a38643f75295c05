package import HTTPPool

/// What is known of the process at the time of a page.
package struct ProcessSituation: Sendable {
    /// The time of the page, on the pools' clock,
    package var now: MonotonicTime
    /// and in seconds since 1970.
    package var wallClock: Double
    /// The name of the host.
    package var host: String
    package var pid: Int32
    /// How long the process has been running, in seconds, if that is known.
    package var uptime: Double?
    /// Open file descriptors, and how many may be open, if that is known.
    package var openDescriptors: Int?
    package var maxDescriptors: Int?
    /// HTTP clients that were ever made, and those that are alive.
    package var clientsCreated: UInt64
    package var clientsAlive: UInt64
    /// Clients made in the last minute, and how many more are alive than a minute ago; `nil` if nobody has looked for a minute.
    package var clientsMadeLately: Int?
    package var clientsGrownLately: Int?

    package init(
        now: MonotonicTime,
        wallClock: Double,
        host: String = "localhost",
        pid: Int32 = 1,
        uptime: Double? = nil,
        openDescriptors: Int? = nil,
        maxDescriptors: Int? = nil,
        clientsCreated: UInt64 = 0,
        clientsAlive: UInt64 = 0,
        clientsMadeLately: Int? = nil,
        clientsGrownLately: Int? = nil
    ) {
        self.now = now
        self.wallClock = wallClock
        self.host = host
        self.pid = pid
        self.uptime = uptime
        self.openDescriptors = openDescriptors
        self.maxDescriptors = maxDescriptors
        self.clientsCreated = clientsCreated
        self.clientsAlive = clientsAlive
        self.clientsMadeLately = clientsMadeLately
        self.clientsGrownLately = clientsGrownLately
    }

    /// A time as `03:08:31 UTC`, with the date if it is on another day.
    func clock(_ time: MonotonicTime) -> String { clock(ago: Double(now - time) / 1e9) }

    /// The time some seconds ago, in the same form.
    func clock(ago: Double) -> String {
        let seconds = wallClock - ago
        let date = UTCDate(secondsSince1970: seconds)
        return date.day == UTCDate(secondsSince1970: wallClock).day
            ? "\(date.time) UTC" : "\(date.day) \(date.time) UTC"
    }
}

/// A date of the Gregorian calendar, in UTC.
struct UTCDate {
    /// `2026-11-26`
    let day: String
    /// `03:12:41`
    let time: String

    init(secondsSince1970 seconds: Double) {
        let whole = Int(max(0, min(seconds, 2.5e11)).rounded(.down))
        let (days, rest) = whole.quotientAndRemainder(dividingBy: 86_400)
        // Days since 1 March of the year 0, in eras of 400 years of 146,097 days.
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        self.day = "\(year)-\(Self.two(month))-\(Self.two(day))"
        self.time = "\(Self.two(rest / 3600)):\(Self.two(rest / 60 % 60)):\(Self.two(rest % 60))"
    }

    private static func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
