/// What the driver knows of a response from the lines of its header blocks, while they come.
///
/// The lines of the response itself go into a buffer, to be read on the caller's side; those of interim responses and
/// trailers are checked, counted and dropped.
struct ResponseHead {
    /// Whether the header block of the response itself is complete. What comes as a header later is a trailer.
    private(set) var isComplete = false
    private(set) var framing = ResponseFraming()
    /// The status code of the last header block.
    private var code = 0
    /// Whether the header block is that of an interim response, after which another comes.
    private var isInterim = false
    /// Whether the header block goes on.
    private var isInBlock = true
    /// Of all lines so far: interim responses, head and trailers.
    private var byteCount = 0
    private var interims = 0

    /// Whether a body that is still on its way to the server is of no use any more.
    var endsUpload: Bool { isComplete && code >= 300 }

    /// The most bytes of header fields that a response may have, those of its interim responses and trailers included.
    private static let maxBytes = 256 << 10
    /// The most interim responses before it.
    private static let maxInterims = 1000

    /// Why header lines are refused.
    enum Fault {
        case tooLarge, tooManyInterims, switchedProtocols, doubtfulLength, foldedStatusLine, doubtfulStatus

        var reason: String {
            switch self {
            case .tooLarge: "the head and the trailers have more than \(ResponseHead.maxBytes >> 10) KiB"
            case .tooManyInterims: "there are more than \(ResponseHead.maxInterims) interim responses"
            case .switchedProtocols:
                "the server switched to another protocol (status 101), which this client cannot speak"
            case .doubtfulLength:
                "where it ends is in doubt: its length is not one number, or its coding is not chunked"
            case .foldedStatusLine: "white space follows the status line"
            case .doubtfulStatus:
                "its status is in doubt: more than three digits, or a control character before them"
            }
        }
    }

    /// Takes a line of a header block, its end included.
    ///
    /// - Returns: why the response is refused, where it is.
    mutating func take(_ line: UnsafeBufferPointer<UInt8>, into buffer: ResponseBuffer) -> Fault? {
        if let fault = take(dropped: line) { return fault }
        if isComplete { return nil }
        let first = line.first
        if first == StatusLine.first, let statusLine = StatusLine(line) {
            // The block of an interim response gives way to the next.
            buffer.begin(head: line)
            return begin(statusLine)
        }
        guard isInBlock else { return nil }
        guard framing.take(field: line) || isInterim else { return .doubtfulLength }
        if first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") {
            return buffer.append(folded: line) ? nil : .foldedStatusLine
        }
        buffer.append(header: line)
        if line.count <= 2 {
            isInBlock = false
            isComplete = !isInterim
        }
        return nil
    }

    /// Counts a line that is not kept, such as a trailer.
    mutating func take(dropped line: UnsafeBufferPointer<UInt8>) -> Fault? {
        byteCount += line.count
        return byteCount <= Self.maxBytes ? nil : .tooLarge
    }

    private mutating func begin(_ statusLine: StatusLine) -> Fault? {
        isInBlock = true
        framing = ResponseFraming(after: statusLine)
        isInterim = statusLine.isInterim
        code = statusLine.code
        if statusLine.hasDoubtfulCode { return .doubtfulStatus }
        guard isInterim else { return nil }
        if code == 101 { return .switchedProtocols }
        interims += 1
        return interims <= Self.maxInterims ? nil : .tooManyInterims
    }

    /// Whether a body of so many bytes is all that the fields of the head announce. `false` where they do not say.
    func isWhole(after count: UInt64) -> Bool {
        isComplete && (code == 204 || code == 304 || framing.length == count)
    }
}
