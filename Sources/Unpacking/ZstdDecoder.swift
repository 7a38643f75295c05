internal import CLibzstd

/// zstd: one frame or several, and those that hold nothing for the reader (RFC 8878, 3.1).
final class ZstdDecoder: Decoder {
    private enum State {
        case start
        case inFrame
        case afterFrame
        case padding
    }

    /// Sound: made here, freed once, and used by one owner at a time.
    private let context: OpaquePointer
    private var state = State.start

    /// 8 MiB: a content coding may not want a larger window (RFC 9659, 3). A dozen bytes can ask for 128 MiB.
    private static let windowBits: Int32 = 23

    init() throws(UnpackingError) {
        guard let context = ZSTD_createDCtx() else { throw .outOfMemory }
        self.context = context
        // It cannot fail: the value is one that every version allows.
        _ = ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.windowBits)
    }

    deinit { ZSTD_freeDCtx(context) }

    var mayEnd: Bool { state != .inFrame }

    func decode(
        _ input: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(UnpackingError) -> DecodingStep {
        if state != .inFrame {
            guard let first = input.first else { return DecodingStep() }
            if state == .padding || state == .afterFrame && first == 0 {
                state = .padding
                try Padding.check(input)
                return DecodingStep(taken: input.count)
            }
            state = .inFrame
        }
        // Sound: zstd reads and writes only inside of the buffers, and only during this call.
        var from = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var to = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        let rest = ZSTD_decompressStream(context, &to, &from)
        if ZSTD_isError(rest) != 0 { throw Self.isOutOfMemory(rest) ? .outOfMemory : .malformed }
        // 0: a frame is complete, and all of it written.
        if rest == 0 { state = .afterFrame }
        return DecodingStep(taken: from.pos, made: to.pos)
    }

    /// zstd's code for it is 64.
    private static func isOutOfMemory(_ code: Int) -> Bool { code == -64 }
}
