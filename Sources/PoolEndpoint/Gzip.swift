private import CLibz

/// gzip (RFC 1952), made by zlib.
enum Gzip {
    /// The fastest level that keeps a scrape of 64 origins below 25 KB.
    private static let level: Int32 = 1
    /// The largest window, and a gzip header and trailer.
    private static let windowBits: Int32 = 15 + 16
    /// The most memory, which is also the fastest: 256 KB while a response is compressed.
    private static let memoryLevel: Int32 = 9

    /// Compresses a whole body.
    ///
    /// - Returns: `nil` if there is no memory for it; the body can be sent as it is.
    static func compressed(_ body: [UInt8]) -> [UInt8]? {
        withUnsafeTemporaryAllocation(of: z_stream.self, capacity: 1) { storage in
            // Sound: there is one element, which is initialised here and keeps its address until `deflateEnd`.
            guard let stream = storage.baseAddress else { return nil }
            stream.initialize(to: z_stream())
            guard poolscope_deflate_init(stream, level, windowBits, memoryLevel) == Z_OK else { return nil }
            defer { deflateEnd(stream) }
            return body.withUnsafeBufferPointer { deflated($0, by: stream) }
        }
    }

    /// One call for each piece of output; zlib takes the input as it needs it.
    private static func deflated(
        _ body: UnsafeBufferPointer<UInt8>,
        by stream: UnsafeMutablePointer<z_stream>
    ) -> [UInt8]? {
        guard let count = UInt32(exactly: body.count) else { return nil }
        // Sound: zlib only reads the input, and only while the body is borrowed.
        stream.pointee.next_in = UnsafeMutablePointer(mutating: body.baseAddress)
        stream.pointee.avail_in = count
        var output: [UInt8] = []
        // Metrics shrink to less than a tenth.
        output.reserveCapacity(body.count / 10 + piece)
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: piece) { room in
            while true {
                // Sound: zlib writes within the room, which outlives the call.
                stream.pointee.next_out = room.baseAddress
                stream.pointee.avail_out = UInt32(piece)
                let code = deflate(stream, Z_FINISH)
                output.append(contentsOf: room.prefix(piece - Int(stream.pointee.avail_out)))
                switch code {
                case Z_STREAM_END: return output
                case Z_OK: continue
                default: return nil
                }
            }
        }
    }

    private static let piece = 16 << 10
}
