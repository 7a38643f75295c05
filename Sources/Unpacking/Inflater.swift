internal import CLibz

/// A zlib decoder for one format.
final class Inflater {
    /// zlib's `windowBits`: the maximum window size and the kind of header and trailer.
    enum Format: Int32 {
        case gzip = 31
        case zlib = 15
        case raw = -15
    }

    /// Sound: allocated and initialised here at a fixed address, as zlib requires, and used by one owner at a time.
    private let stream: UnsafeMutablePointer<z_stream>

    init(_ format: Format) throws(UnpackingError) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard poolscope_inflate_init(stream, format.rawValue) == Z_OK else {
            stream.deallocate()
            throw .outOfMemory
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Restarts with the same format.
    func reset() { inflateReset(stream) }

    /// - Returns: the bytes consumed and written, and whether the end was reached and the checksum is valid.
    func inflate(
        _ input: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(UnpackingError) -> (step: DecodingStep, hasEnded: Bool) {
        let (room, count) = (UInt32(clamping: output.count), UInt32(clamping: input.count))
        // Sound: zlib accesses memory only within the buffers, and only during this call.
        let bytes = input.assumingMemoryBound(to: UInt8.self)
        stream.pointee.next_in = bytes.baseAddress.map(UnsafeMutablePointer.init(mutating:))
        stream.pointee.avail_in = count
        stream.pointee.next_out = output.assumingMemoryBound(to: UInt8.self).baseAddress
        stream.pointee.avail_out = room
        let code = CLibz.inflate(stream, Z_NO_FLUSH)
        let step = DecodingStep(
            taken: Int(count - stream.pointee.avail_in),
            made: Int(room - stream.pointee.avail_out)
        )
        switch code {
        // `Z_BUF_ERROR` only means that no progress was possible.
        case Z_OK, Z_BUF_ERROR: return (step, false)
        case Z_STREAM_END: return (step, true)
        case Z_MEM_ERROR: throw .outOfMemory
        default: throw .malformed
        }
    }
}
