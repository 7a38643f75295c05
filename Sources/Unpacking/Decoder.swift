/// Decodes one coding incrementally. Its memory is bounded by the window of the coding.
protocol Decoder: AnyObject {
    /// Whether the body may end here. True before the first byte: an empty body decodes to an empty body.
    var mayEnd: Bool { get }

    /// Consumes input as far as there is room for the output. Without input it writes pending output.
    func decode(
        _ input: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(UnpackingError) -> DecodingStep
}

/// The number of bytes consumed and written.
struct DecodingStep {
    var taken = 0
    var made = 0
}

/// Padding after the end of a coding. Zero bytes are accepted, because some writers fill blocks with them (gzip(1)
/// and node accept them too). Any other byte may be the start of truncated data, so it is an error.
enum Padding {
    static func check(_ bytes: some Sequence<UInt8>) throws(UnpackingError) {
        guard bytes.allSatisfy({ $0 == 0 }) else { throw .trailingBytes }
    }
}
