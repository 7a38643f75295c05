/// The `Retry-After` field (RFC 9110, 10.2.3).
package enum RetryAfter {
    /// The requested wait; `nil` if the text is neither a number of seconds nor a date. A date in the past gives
    /// zero.
    ///
    /// - Parameter now: the current time in seconds since 1970.
    package static func wait(_ text: String, now: Int) -> Duration? {
        if !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) {
            // More seconds than 64 bits hold are clamped.
            return .seconds(Int64(text) ?? .max)
        }
        return HTTPDate.secondsSince1970(text, now: now).map { .seconds(max(0, $0 - now)) }
    }
}
