import HTTPPool
import HTTPTypes

/// An answer as it came: the header block as bytes, to be read on the caller's side.
struct RawResponse: Sendable {
    /// The status line and the fields of the last header block; those of 1xx answers are gone.
    private(set) var head: [UInt8] = []
    var body: [UInt8] = []
    /// Whether the header block is complete. What comes as a header later is a trailer.
    private var headIsComplete = false

    /// The most bytes of header fields that an answer may have.
    private static let maxHeadBytes = 256 << 10

    /// Takes a line of the header block, its end included.
    ///
    /// - Returns: whether the block is not too large.
    mutating func take(header line: UnsafeBufferPointer<UInt8>) -> Bool {
        if Self.isStatusLine(line) {
            // The block of a 1xx answer gives way to the next.
            head.removeAll(keepingCapacity: true)
            head.reserveCapacity(512)
            headIsComplete = false
        } else if headIsComplete {
            // A trailer after the body is not kept.
            return true
        }
        guard head.count + line.count <= Self.maxHeadBytes else { return false }
        head.append(contentsOf: line)
        if line.count <= 2 { headIsComplete = true }
        return true
    }

    /// `HTTP/` is no beginning of a field.
    private static func isStatusLine(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        line.count > 5 && line[0] == UInt8(ascii: "H") && line[1] == UInt8(ascii: "T") && line[2] == UInt8(ascii: "T")
            && line[3] == UInt8(ascii: "P") && line[4] == UInt8(ascii: "/")
    }

    /// Reads the status line and checks the fields, which are read when somebody asks for them.
    func parsed(from origin: Origin) throws(PoolError) -> PooledResponse {
        do throws(HeaderBlock.Malformed) {
            let block = try HeaderBlock(head)
            return PooledResponse(status: block.status, head: block, body: ResponseBody(bytes: body))
        } catch {
            throw PoolError(.invalidResponse, error.reason, origin: origin, phase: .exchange)
        }
    }
}
