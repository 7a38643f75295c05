internal import CLibbrotlidec

/// Brotli (RFC 7932), with windows of up to 16 MiB. Larger windows of later versions are not part of `br` and
/// rejected.
final class BrotliDecoder: Decoder {
    private enum State {
        case start
        case inStream
        case ended
    }

    /// Sound: created here, freed once, and used by one owner at a time.
    private let decoder: OpaquePointer
    private var state = State.start

    init() throws(UnpackingError) {
        guard let decoder = BrotliDecoderCreateInstance(nil, nil, nil) else { throw .outOfMemory }
        self.decoder = decoder
    }

    deinit { BrotliDecoderDestroyInstance(decoder) }

    var mayEnd: Bool { state != .inStream }

    func decode(
        _ input: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(UnpackingError) -> DecodingStep {
        if state == .ended {
            try Padding.check(input)
            return DecodingStep(taken: input.count)
        }
        if state == .start {
            if input.isEmpty { return DecodingStep() }
            state = .inStream
        }
        var (left, room) = (input.count, output.count)
        // Sound: brotli accesses memory only within the buffers, and only during this call.
        var next = input.assumingMemoryBound(to: UInt8.self).baseAddress
        var end = output.assumingMemoryBound(to: UInt8.self).baseAddress
        let result = BrotliDecoderDecompressStream(decoder, &left, &next, &room, &end, nil)
        switch result {
        case BROTLI_DECODER_RESULT_SUCCESS: state = .ended
        case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT, BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT: break
        default: throw isOutOfMemory ? .outOfMemory : .malformed
        }
        return DecodingStep(taken: input.count - left, made: output.count - room)
    }

    /// Allocation failures have the codes -30 to -21.
    private var isOutOfMemory: Bool { (-30 ... -21).contains(BrotliDecoderGetErrorCode(decoder).rawValue) }
}
