/// Parses HTTP dates (RFC 9110, 5.6.7): the current format and the two obsolete ones.
package enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    private static let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    private static let longWeekdays = [
        "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
    ]

    /// The date in seconds since 1970; `nil` if the text is not a valid date. The weekday is not checked against
    /// the date.
    ///
    /// - Parameter now: the current time in seconds since 1970, which determines the century of a two-digit year.
    package static func secondsSince1970(_ text: String, now: Int) -> Int? {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        switch parts.count {
        case 6 where parts[5] == "GMT" && parts[0].last == "," && weekdays.contains(parts[0].dropLast().description):
            // Sun, 06 Nov 1994 08:49:37 GMT
            return seconds(year: number(parts[3], 4), month: parts[2], day: number(parts[1], 2), time: parts[4])
        case 4
        where parts[3] == "GMT" && parts[0].last == "," && longWeekdays.contains(parts[0].dropLast().description):
            // Sunday, 06-Nov-94 08:49:37 GMT
            let date = parts[1].split(separator: "-", omittingEmptySubsequences: false)
            guard date.count == 3, let year = number(date[2], 2) else { return nil }
            return seconds(year: whole(year, now: now), month: date[1], day: number(date[0], 2), time: parts[2])
        case 5 where weekdays.contains(String(parts[0])):
            // Sun Nov 16 08:49:37 1994
            return seconds(year: number(parts[4], 4), month: parts[1], day: number(parts[2], 2), time: parts[3])
        case 6 where parts[2].isEmpty && weekdays.contains(String(parts[0])):
            // Sun Nov  6 08:49:37 1994
            return seconds(year: number(parts[5], 4), month: parts[1], day: number(parts[3], 1), time: parts[4])
        default: return nil
        }
    }

    private static func seconds(year: Int?, month: Substring, day: Int?, time: Substring) -> Int? {
        let clock = time.split(separator: ":", omittingEmptySubsequences: false).map { number($0, 2) }
        guard let year, year > 0, let month = months.firstIndex(of: String(month)), let day, clock.count == 3,
            let hour = clock[0], let minute = clock[1], let second = clock[2],
            // A minute with a leap second has second 60.
            hour < 24, minute < 60, second <= 60
        else { return nil }
        let first = days(year: year, month: month + 1)
        let next = month == 11 ? days(year: year + 1, month: 1) : days(year: year, month: month + 2)
        guard day >= 1, day <= next - first else { return nil }
        return (first + day - 1) * 86_400 + hour * 3600 + minute * 60 + second
    }

    /// The days from 1 January 1970 to the first day of a month.
    private static func days(year: Int, month: Int) -> Int {
        // Counting years from March makes the leap day the last of its year, so that the months before it follow a
        // regular pattern.
        let year = month > 2 ? year : year - 1
        let monthsFromMarch = (month + 9) % 12
        return 365 * year + year / 4 - year / 100 + year / 400 + (153 * monthsFromMarch + 2) / 5 - 719_468
    }

    /// The year with these last two digits that is nearest to now: less than 50 years ago, or at most 50 years
    /// ahead.
    private static func whole(_ year: Int, now: Int) -> Int {
        let averageYear = 31_556_952
        let thisYear = 1970 + now / averageYear
        let candidate = thisYear - thisYear % 100 + year
        if candidate > thisYear + 50 { return candidate - 100 }
        return candidate <= thisYear - 50 ? candidate + 100 : candidate
    }

    /// Parses a number of exactly `digits` digits.
    private static func number(_ text: Substring, _ digits: Int) -> Int? {
        guard text.utf8.count == digits, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return Int(text)
    }
}
