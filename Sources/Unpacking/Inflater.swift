internal import CLibz

/// zlib's decoder for one of its formats.
final class Inflater {
    /// In zlib's numbers: the largest window, and what is around the data.
    enum Format: Int32 {
        case gzip = 31
        case zlib = 15
        case raw = -15
    }

    /// Sound: allocated and initialised here, at one place for good as zlib wants it, and used by one owner at a time.
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

    /// Begins anew, with the same format.
    func reset() { inflateReset(stream) }

    /// - Returns: what was done, and whether the end was reached, check sum included.
    func inflate(
        _ input: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(UnpackingError) -> (step: DecodingStep, hasEnded: Bool) {
        let (room, count) = (UInt32(clamping: output.count), UInt32(clamping: input.count))
        // Sound: zlib reads and writes only inside of the buffers, and only during this call.
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
        // The second says only that there was nothing to do.
        case Z_OK, Z_BUF_ERROR: return (step, false)
        case Z_STREAM_END: return (step, true)
        case Z_MEM_ERROR: throw .outOfMemory
        default: throw .malformed
        }
    }
}
