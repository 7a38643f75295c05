/// How much a body may unpack to. A few kilobytes can unpack to gigabytes.
struct ExpansionLimit {
    /// A body of so many bytes may have unpacked from anything.
    private static let free = 1 << 20

    let maxRatio: Int

    /// Whether so many bytes may have come out when `packed` went in.
    func allows(_ unpacked: Int, outOf packed: Int) -> Bool {
        let (allowed, isBeyondAll) = maxRatio.multipliedReportingOverflow(by: packed)
        return isBeyondAll || unpacked <= max(Self.free, allowed)
    }
}
