import HTTPPool
import Testing

@Suite("A moment")
struct MonotonicTimeTests {
    private let last = MonotonicTime(nanoseconds: .max)
    private let first = MonotonicTime(nanoseconds: 0)

    @Test("is earlier or later than another, by so many nanoseconds and never by less than none")
    func difference() {
        let (early, late) = (MonotonicTime(nanoseconds: 40), MonotonicTime(nanoseconds: 100))
        #expect(early < late)
        #expect(late - early == 60)
        #expect(early - late == 0)
        #expect(early - early == 0)
        #expect(last - first == .max)
        #expect(first - last == 0)
    }

    @Test("does not wrap around at the end of time")
    func sum() {
        #expect(first + 5 == MonotonicTime(nanoseconds: 5))
        #expect(MonotonicTime(nanoseconds: 10) + .max == last)
        #expect(last + 1 == last)
        #expect(last + 0 == last)
        #expect(first + .max == last)
    }
}

@Suite("A duration")
struct DurationTests {
    @Test(
        "is whole nanoseconds, cut at both ends of what 64 bits hold",
        arguments: [
            (.zero, 0), (.nanoseconds(1), 1), (.nanoseconds(-1), 0), (.seconds(-5), 0), (.milliseconds(-1500), 0),
            (.seconds(1), 1_000_000_000), (.milliseconds(1500), 1_500_000_000),
            (Duration(secondsComponent: 0, attosecondsComponent: 999_999_999), 0),
            (Duration(secondsComponent: 1, attosecondsComponent: 1_999_999_999), 1_000_000_001),
            (Duration(secondsComponent: 1, attosecondsComponent: -1_000_000_000), 999_999_999),
            (.nanoseconds(Int64.max), UInt64(Int64.max)),
            (.seconds(18_446_744_073), 18_446_744_073_000_000_000),
            (Duration(secondsComponent: 18_446_744_073, attosecondsComponent: 709_551_615_000_000_000), .max),
            (Duration(secondsComponent: 18_446_744_073, attosecondsComponent: 709_551_616_000_000_000), .max),
            (.seconds(18_446_744_074), .max), (.seconds(Int64.max), .max), (.seconds(Int64.min), 0),
        ] as [(Duration, UInt64)]
    )
    func nanoseconds(duration: Duration, nanoseconds: UInt64) { #expect(duration.wholeNanoseconds == nanoseconds) }

    @Test(
        "is seconds, as metrics write them",
        arguments: [
            (.zero, 0), (.seconds(30), 30), (.milliseconds(250), 0.25), (.milliseconds(-1500), -1.5),
            (.nanoseconds(1), 1e-9),
        ] as [(Duration, Double)]
    )
    func seconds(duration: Duration, seconds: Double) { #expect(duration.inSeconds == seconds) }
}
