/// How much of an answer's body was unpacked, and out of how much. A few kilobytes can unpack to gigabytes.
struct UnpackedBody {
    /// A body of so many bytes may have unpacked from anything.
    private static let free = 1 << 20

    private var unpacked = 0
    private var counted = 0
    /// The most that libcurl may have read and not counted; `nil` until the first piece.
    private var uncounted: Int?

    /// Takes a piece of the unpacked body, when libcurl has counted `packed` bytes that came over the wire.
    ///
    /// libcurl counts what it has read before it unpacks it, except for a chunked body: there the bytes in its hands, of
    /// one buffer at most, count only afterwards.
    ///
    /// - Returns: whether the body is within the ratio, as far as that can be said.
    mutating func take(_ count: Int, packed: Int, buffer: Int, maxRatio: Int) -> Bool {
        let uncounted = self.uncounted ?? (packed == 0 ? buffer : 0)
        self.uncounted = uncounted
        if packed != counted {
            counted = packed
            guard isWithin(maxRatio, packed: packed) else { return false }
        }
        unpacked += count
        return isWithin(maxRatio, packed: packed + uncounted)
    }

    /// Whether what was unpacked is within the ratio to all that came over the wire for it.
    func isWithin(_ maxRatio: Int, packed: Int) -> Bool {
        let (allowed, isBeyondAll) = maxRatio.multipliedReportingOverflow(by: packed)
        return unpacked <= max(Self.free, allowed) || isBeyondAll
    }
}
