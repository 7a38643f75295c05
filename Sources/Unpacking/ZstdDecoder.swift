internal import CLibzstd

/// zstd: one or more frames, including skippable ones (RFC 8878, 3.1).
final class ZstdDecoder: Decoder {
    private enum State {
        case start
        case inFrame
        case afterFrame
        case padding
    }

    /// Sound: created here, freed once, and used by one owner at a time.
    private let context: OpaquePointer
    private var state = State.start

    /// 8 MiB, the maximum for a content coding (RFC 9659, 3). Otherwise a dozen bytes could request 128 MiB.
    private static let windowBits: Int32 = 23

    init() throws(UnpackingError) {
        guard let context = ZSTD_createDCtx() else { throw .outOfMemory }
        self.context = context
        // Cannot fail: every version allows this value.
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
        // Sound: zstd accesses memory only within the buffers, and only during this call.
        var from = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var to = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        let rest = ZSTD_decompressStream(context, &to, &from)
        if ZSTD_isError(rest) != 0 { throw Self.isOutOfMemory(rest) ? .outOfMemory : .malformed }
        // 0 means that a frame is complete and its output was written.
        if rest == 0 { state = .afterFrame }
        return DecodingStep(taken: from.pos, made: to.pos)
    }

    /// `ZSTD_error_memory_allocation` is 64.
    private static func isOutOfMemory(_ code: Int) -> Bool { code == -64 }
}
