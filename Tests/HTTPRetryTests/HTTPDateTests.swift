import Glibc
import HTTPRetry
import LoopbackUpstream
import Testing

@Suite("A date of HTTP")
struct HTTPDateTests {
    /// 1 January 2026.
    private let now = 1_767_225_600

    @Test(
        "means its second, in each of the three forms",
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
            ("Sun Nov  6 08:49:37 1994", 784_111_777), ("Wed Nov 16 08:49:37 1994", 784_975_777),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
            ("Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400), ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799), ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800),
            ("Tue, 19 Jan 2038 03:14:08 GMT", 2_147_483_648), ("Fri, 01 Jan 2026 00:00:00 GMT", 1_767_225_600),
            // Two digits: at most fifty years ahead, else of the century before.
            ("Friday, 01-Jan-76 00:00:00 GMT", 3_345_062_400), ("Friday, 01-Jan-77 00:00:00 GMT", 220_924_800),
            ("Friday, 01-Jan-00 00:00:00 GMT", 946_684_800),
        ]
    )
    func read(text: String, seconds: Int) { #expect(HTTPDate.secondsSince1970(text, now: now) == seconds) }

    @Test("with two digits of year follows the century")
    func century() {
        let in2090 = 3_786_912_000
        #expect(HTTPDate.secondsSince1970("Friday, 01-Jan-10 00:00:00 GMT", now: in2090) == 4_417_977_600)
        #expect(HTTPDate.secondsSince1970("Friday, 01-Jan-41 00:00:00 GMT", now: in2090) == 2_240_611_200)
    }

    @Test(
        "is none otherwise",
        arguments: [
            "", " ", "Sun", "06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 +0000", "Son, 06 Nov 1994 08:49:37 GMT", "Sun 06 Nov 1994 08:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
            "Sun, 29 Feb 2023 08:49:37 GMT", "Sun, 29 Feb 1900 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 06 Nov +994 08:49:37 GMT", "Sun, 06 Nov 0000 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
            "Sun, 06 Nov 1994 8:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT", "Sun, 06 Nov 1994 08:49:37:00 GMT",
            "Sun,  06 Nov 1994 08:49:37 GMT", " Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ",
            "Sun, 06-Nov-94 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT", "Sunday, 6-Nov-94 08:49:37 GMT",
            "Sun Nov 06  08:49:37 1994", "Sun Nov 6 08:49:37 1994", "Sun Nov  6 08:49:37 94",
            "Sun Nov  16 08:49:37 1994",
            "Sun, 0６ Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
        ]
    )
    func none(text: String) { #expect(HTTPDate.secondsSince1970(text, now: now) == nil) }

    @Test("agrees with the C library on every form of random moments", arguments: 0..<4 as Range<UInt64>)
    func asTheLibrary(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for _ in 0..<2000 {
            // Within the fifty years on each side that two digits tell apart.
            let moment = Int.random(in: 220_924_800..<3_345_062_400, using: &random)
            for form in ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"] {
                var (seconds, parts) = (time_t(moment), tm())
                gmtime_r(&seconds, &parts)
                var buffer = [UInt8](repeating: 0, count: 64)
                let count = buffer.withUnsafeMutableBytes { bytes in
                    bytes.withMemoryRebound(to: CChar.self) { strftime($0.baseAddress, $0.count, form, &parts) }
                }
                let text = String(decoding: buffer[..<count], as: UTF8.self)
                #expect(HTTPDate.secondsSince1970(text, now: now) == moment, "\(text)")
            }
        }
    }

    @Test("Any text is a date or none, never a crash")
    func anyText() {
        var random = SplitMix64(seed: 3)
        let pieces = [
            "Sun,", "Sunday,", "Sun", " ", "06", "-", "Nov", "94", "1994", ":", "08:49:37", "GMT", "é", "9", "\0",
        ]
        for _ in 0..<20_000 {
            let count = Int.random(in: 0..<14, using: &random)
            let text = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            _ = HTTPDate.secondsSince1970(text, now: Int.random(in: -1_000_000...10_000_000_000, using: &random))
        }
    }
}

@Suite("Retry-After")
struct RetryAfterTests {
    @Test(
        "is seconds or a date",
        arguments: [
            ("0", 0), ("120", 120), ("007", 7), ("Sun, 06 Nov 1994 08:50:07 GMT", 30),
            ("Sunday, 06-Nov-94 08:49:38 GMT", 1), ("Sun Nov  6 08:49:37 1994", 0),
            ("Sun, 06 Nov 1994 08:49:00 GMT", 0),
        ]
    )
    func read(text: String, seconds: Int) { #expect(RetryAfter.wait(text, now: 784_111_777) == .seconds(seconds)) }

    @Test("is nothing otherwise", arguments: ["", "-1", "+1", "1.5", "1 s", " 1", "1, 2", "soon", "٣"])
    func none(text: String) { #expect(RetryAfter.wait(text, now: 0) == nil) }

    @Test("may ask for more than can be counted")
    func most() {
        #expect(RetryAfter.wait("99999999999999999999999", now: 0) == .seconds(Int64.max))
    }
}
