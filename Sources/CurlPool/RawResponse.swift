import HTTPPool
import HTTPTypes

/// An answer as it came: the header block as bytes, to be read on the caller's side.
struct RawResponse: Sendable {
    /// The status line and the fields of the last header block; those of 1xx answers are gone.
    private(set) var head: [UInt8] = []
    var body: [UInt8] = []
    /// Where the rest of the body comes from, of an answer that was handed over before its end.
    var stream: ResponseStream?
    /// Whether the body was unpacked on its way.
    var isUnpacked = false
    /// Whether the header block of the answer itself is complete. What comes as a header later is a trailer.
    private(set) var headIsComplete = false
    /// Whether the header block is that of a 1xx answer, after which another comes.
    private var isInterim = false
    /// Whether the header block goes on.
    private var isInBlock = true

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
            isInBlock = true
            isInterim = Self.isInterim(line)
        } else if !isInBlock {
            // A trailer after the body is not kept.
            return true
        }
        guard head.count + line.count <= Self.maxHeadBytes else { return false }
        head.append(contentsOf: line)
        if line.count <= 2 {
            isInBlock = false
            headIsComplete = !isInterim
        }
        return true
    }

    /// `HTTP/1.1 103 …`, `HTTP/2 103`: the code follows the first space.
    private static func isInterim(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        var index = 5
        while index + 1 < line.count {
            if line[index] == UInt8(ascii: " ") { return line[index + 1] == UInt8(ascii: "1") }
            index += 1
        }
        return false
    }

    /// `HTTP/` is no beginning of a field.
    private static func isStatusLine(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        line.count > 5 && line[0] == UInt8(ascii: "H") && line[1] == UInt8(ascii: "T") && line[2] == UInt8(ascii: "T")
            && line[3] == UInt8(ascii: "P") && line[4] == UInt8(ascii: "/")
    }

    /// Reads the status line and checks the fields, which are read when somebody asks for them.
    func parsed(from origin: Origin, body: ResponseBody) throws(PoolError) -> PooledResponse {
        do throws(HeaderBlock.Malformed) {
            let block = try HeaderBlock(head, isUnpacked: isUnpacked)
            return PooledResponse(status: block.status, head: block, body: body)
        } catch {
            throw PoolError(.invalidResponse, error.reason, origin: origin, phase: .exchange)
        }
    }
}
