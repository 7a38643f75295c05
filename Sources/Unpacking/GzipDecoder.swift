/// gzip: one or more members that form one body (RFC 1952, 2.2). zlib verifies the checksum and length of each
/// member.
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
