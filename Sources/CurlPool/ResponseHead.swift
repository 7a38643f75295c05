/// The state of a response's header blocks while their lines arrive.
///
/// The lines of the response itself go into a buffer, to be parsed on the caller's side; those of interim responses
/// and trailers are validated, counted and dropped.
struct ResponseHead {
    /// Whether the response's own header block is complete. Later header lines are trailers.
    private(set) var isComplete = false
    private(set) var framing = ResponseFraming()
    /// Whether the status line of the current header block names HTTP/1.
    private(set) var isHTTP1 = false
    /// The status code of the current header block.
    private var code = 0
    /// Whether the header block belongs to an interim response, which another one follows.
    private var isInterim = false
    /// Whether the end of the header block has not been reached.
    private var isInBlock = true
    /// The size of all lines so far: interim responses, head and trailers.
    private var byteCount = 0
    private var interims = 0

    /// The status of the response; that of an interim one until the head is complete.
    var status: Int { code }

    /// Whether the rest of an unfinished upload has become pointless.
    var endsUpload: Bool { isComplete && code >= 300 }

    /// The maximum size of the header fields of a response, in bytes, including those of its interim responses and
    /// trailers.
    private static let maxBytes = 256 << 10
    /// The maximum number of interim responses.
    private static let maxInterims = 1000

    /// Why header lines are refused.
    enum Fault {
        case tooLarge, tooManyInterims, switchedProtocols, doubtfulLength, foldedStatusLine, doubtfulStatus

        var reason: String {
            switch self {
            case .tooLarge: "the head and trailers exceed \(ResponseHead.maxBytes >> 10) KiB"
            case .tooManyInterims: "more than \(ResponseHead.maxInterims) interim responses arrived"
            case .switchedProtocols:
                "the server switched to another protocol (status 101), which this client does not support"
            case .doubtfulLength:
                "the end of the response is ambiguous: its length is not one number, or its coding is not chunked"
            case .foldedStatusLine: "a line that begins with white space follows the status line"
            case .doubtfulStatus:
                "the status is ambiguous: more than three digits, or a control character before them"
            }
        }
    }

    /// Takes a line of a header block, including its line end.
    ///
    /// - Returns: why the response is refused; `nil` if it is not.
    mutating func take(_ line: UnsafeBufferPointer<UInt8>, into buffer: ResponseBuffer) -> Fault? {
        if let fault = take(dropped: line) { return fault }
        if isComplete { return nil }
        let first = line.first
        if first == StatusLine.first, let statusLine = StatusLine(line) {
            // The block of an interim response is replaced by the next one.
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
        isHTTP1 = statusLine.isHTTP1
        isInterim = statusLine.isInterim
        code = statusLine.code
        if statusLine.hasDoubtfulCode { return .doubtfulStatus }
        guard isInterim else { return nil }
        if code == 101 { return .switchedProtocols }
        interims += 1
        return interims <= Self.maxInterims ? nil : .tooManyInterims
    }

    /// Whether `count` bytes of the body are all that the head announces. `false` if it announces no length.
    func isWhole(after count: UInt64) -> Bool {
        isComplete && (code == 204 || code == 304 || framing.length == count)
    }

    /// Whether `count` bytes of the body do not contradict that the response is whole.
    func mayBeWhole(after count: UInt64) -> Bool {
        isComplete && (!framing.isDelimitedByLength || isWhole(after: count))
    }
}
