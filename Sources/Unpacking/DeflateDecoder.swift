/// `deflate`: the zlib format, or the raw data that some servers send instead (RFC 9110, 8.4.1.2). The first two
/// bytes, which may arrive separately, determine which.
final class DeflateDecoder: Decoder {
    private enum State {
        case start
        case afterFirst(UInt8)
        case inStream(Inflater, isRaw: Bool)
        /// `ignored`: the number of bytes that may follow with any value.
        case ended(ignored: Int)
    }

    private var state = State.start

    /// Raw data may be followed by the checksum of the zlib format, which curl ignores too.
    private static let checkSumBytes = 4

    var mayEnd: Bool {
        switch state {
        case .start, .ended: true
        case .afterFirst, .inStream: false
        }
    }

    func decode(
        _ input: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(UnpackingError) -> DecodingStep {
        switch state {
        case .start:
            guard let first = input.first else { return DecodingStep() }
            state = .afterFirst(first)
            return DecodingStep(taken: 1)
        case .afterFirst(let first):
            guard let second = input.first else { return DecodingStep() }
            let isRaw = !Self.isZlibHead(first, second)
            let inflater = try Inflater(isRaw ? .raw : .zlib)
            state = .inStream(inflater, isRaw: isRaw)
            // A single byte produces no output.
            _ = try withUnsafeBytes(of: first) { bytes throws(UnpackingError) in
                try inflater.inflate(bytes, into: output)
            }
            return try inflate(input, into: output, inflater, isRaw: isRaw)
        case .inStream(let inflater, let isRaw): return try inflate(input, into: output, inflater, isRaw: isRaw)
        case .ended(let ignored):
            try Padding.check(input.dropFirst(ignored))
            state = .ended(ignored: max(0, ignored - input.count))
            return DecodingStep(taken: input.count)
        }
    }

    private func inflate(
        _ input: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer,
        _ inflater: Inflater,
        isRaw: Bool
    ) throws(UnpackingError) -> DecodingStep {
        let (step, hasEnded) = try inflater.inflate(input, into: output)
        if hasEnded { state = .ended(ignored: isRaw ? Self.checkSumBytes : 0) }
        return step
    }

    /// Whether the method is deflate, the window size is valid, and the two bytes are a multiple of 31 (RFC 1950,
    /// 2.2).
    private static func isZlibHead(_ first: UInt8, _ second: UInt8) -> Bool {
        first & 0x0f == 8 && first >> 4 <= 7 && (UInt16(first) << 8 | UInt16(second)) % 31 == 0
    }
}
