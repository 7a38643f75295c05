/// gzip: one member or several, which are one body together (RFC 1952, 2.2). zlib checks each one's sum and length.
final class GzipDecoder: Decoder {
    private enum State {
        case start
        case inMember
        case afterMember
        case padding
    }

    private let inflater: Inflater
    private var state = State.start

    init() throws(UnpackingError) { inflater = try Inflater(.gzip) }

    var mayEnd: Bool { state != .inMember }

    func decode(
        _ input: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(UnpackingError) -> DecodingStep {
        if state != .inMember {
            guard let first = input.first else { return DecodingStep() }
            if state == .padding || state == .afterMember && first == 0 {
                state = .padding
                try Padding.check(input)
                return DecodingStep(taken: input.count)
            }
            if state == .afterMember { inflater.reset() }
            state = .inMember
        }
        let (step, hasEnded) = try inflater.inflate(input, into: output)
        if hasEnded { state = .afterMember }
        return step
    }
}
