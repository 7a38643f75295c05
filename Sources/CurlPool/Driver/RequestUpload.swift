import HTTPPool

/// The body of a request while libcurl reads it: where it comes from, and how much of it has been sent in the current
/// attempt.
///
/// A body that is sent together with the head counts as empty; see ``EncodedRequest/bodyWithHead``.
struct RequestUpload {
    private let stream: UploadStream?
    /// The size in bytes of a body in memory.
    private let count: Int
    /// How many bytes of a body in memory libcurl has taken.
    private var sent = 0

    /// - Parameter count: the size in bytes of a body in memory, unless it is sent with the head.
    init(bytes count: Int) { (stream, self.count) = (nil, count) }

    init(_ source: HTTPRequestBody.Stream) { (stream, count) = (UploadStream(source), 0) }

    /// Whether the body is a stream with an announced length of 0.
    var isAnnouncedEmpty: Bool { stream?.length == 0 }

    /// Starts the task that reads a stream.
    func start(for exchange: Exchange, _ mailbox: Mailbox) { stream?.start(for: exchange, mailbox) }

    /// Ends a stream: the body is no longer needed.
    func close() { stream?.close() }

    /// The error of a stream.
    var failure: (any Error)? { stream?.failure }

    /// Whether a paused upload can continue.
    var hasNews: Bool { stream?.hasNews == true }

    /// Whether bytes are still to be sent.
    var isUnderWay: Bool { stream?.isUnderWay ?? (sent < count) }

    /// Begins at the start of the body again, for another attempt.
    mutating func rewind() {
        sent = 0
        stream?.rewind()
    }

    /// Copies the next bytes.
    ///
    /// - Returns: the number of bytes; 0 at the end of the body, `nil` if no bytes are available yet.
    mutating func read(_ body: HTTPRequestBody.Content, into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        switch body {
        case .none: return 0
        case .stream: return stream?.read(into: buffer)
        case .bytes(let bytes):
            let count = min(buffer.count, bytes.count - sent)
            bytes.withUnsafeBytes { bytes in
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[sent..<sent + count]))
            }
            sent += count
            return count
        }
    }
}
