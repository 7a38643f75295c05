/// Writes bytes one after another into memory that its creator has allocated at sufficient size.
struct ByteWriter {
    private(set) var end: UnsafeMutableRawPointer

    init(at start: UnsafeMutableRawPointer) { end = start }

    mutating func put(_ byte: UInt8) {
        end.storeBytes(of: byte, as: UInt8.self)
        end += 1
    }

    mutating func put(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let first = bytes.baseAddress else { return }
        end.copyMemory(from: first, byteCount: bytes.count)
        end += bytes.count
    }

    mutating func put(_ text: String) {
        var text = text
        text.withUTF8 { put($0) }
    }
}
