private import Glibc

/// The value of `Date` (RFC 9110, 5.6.7), written once a second.
struct HTTPDateText {
    private var second = time_t.min
    private var text = ""

    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// The current time.
    mutating func now() -> String { at(time(nil)) }

    /// The time in seconds since 1970.
    mutating func at(_ second: Int) -> String {
        guard second != self.second else { return text }
        var (seconds, parts) = (second, tm())
        gmtime_r(&seconds, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let date = "\(two(parts.tm_mday)) \(Self.months[Int(parts.tm_mon)]) \(1900 + parts.tm_year)"
        let time = "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
        (self.second, text) = (second, "\(Self.days[Int(parts.tm_wday)]), \(date) \(time) GMT")
        return text
    }
}
