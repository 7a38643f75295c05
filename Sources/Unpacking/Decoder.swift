/// Undoes one coding, piece by piece. The memory that it holds is bounded by the coding's window.
protocol Decoder: AnyObject {
    /// Whether the body may end with what was taken so far. It may before the first byte: an empty body is empty.
    var mayEnd: Bool { get }

    /// Takes bytes, as far as there is room for what they unpack to. With no input it writes what it still holds.
    func decode(
        _ input: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(UnpackingError) -> DecodingStep
}

/// How many bytes were taken, and how many were written.
struct DecodingStep {
    var taken = 0
    var made = 0
}

/// What may follow the end of a coding: zero bytes, with which some writers fill their blocks up (gzip(1) and node accept
/// them too). Anything else may be the beginning of data that was lost, so it is an error.
enum Padding {
    static func check(_ bytes: some Sequence<UInt8>) throws(UnpackingError) {
        guard bytes.allSatisfy({ $0 == 0 }) else { throw .trailingBytes }
    }
}
