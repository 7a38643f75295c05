/// The limit on the size of a decoded body, as a few kilobytes can decode to gigabytes.
struct ExpansionLimit {
    /// The size up to which the ratio does not apply, in bytes.
    private static let free = 1 << 20

    let maxRatio: Int

    /// Whether `unpacked` bytes of output are allowed for `packed` bytes of input.
    func allows(_ unpacked: Int, outOf packed: Int) -> Bool {
        let (allowed, isBeyondAll) = maxRatio.multipliedReportingOverflow(by: packed)
        return isBeyondAll || unpacked <= max(Self.free, allowed)
    }
}
