import HTTPPool
import PoolDecisions

/// One request on its way through the pool, with the state that its caller and the driver keep.
///
/// Sound as `Sendable` because it has one owner at a time: the calling task until it is submitted, then the
/// driver's thread until it resumes the continuation, then the calling task again. Only `admission` and
/// `isResponseRefused` are shared; they are written under the mailbox's lock, as are `number`, `submitted` and
/// `continuation` until the driver takes them. With a single owner, accesses need no check for overlap (see
/// ``CurlDriver``).
final class Exchange: @unchecked Sendable {
    typealias Continuation = UnsafeContinuation<RawResponse, any Error>

    enum Admission {
        case new, submitted, cancelled
    }

    let request: EncodedRequest
    let site: CallSite
    let timeouts: PoolTimeouts
    let phaseTimeouts: PhaseTimeouts

    var admission = Admission.new
    /// The reader ended the exchange because the response is invalid. Written before the exchange is added to the
    /// mailbox's cancellations, and read after the driver has taken them.
    @exclusivity(unchecked) var isResponseRefused = false
    @exclusivity(unchecked) var number: UInt64 = 0
    @exclusivity(unchecked) var submitted = MonotonicTime(nanoseconds: 0)
    /// Safe because it is cleared when it is resumed; see ``finish()``.
    @exclusivity(unchecked) var continuation: Continuation?

    /// The request's body, if it is a stream.
    let upload: UploadStream?

    // Used by the driver's thread only.
    @exclusivity(unchecked) var id: RequestID?
    /// The phase that the request has reached, for errors.
    @exclusivity(unchecked) var phase = PoolError.Phase.acquire
    /// Sound: only the driver dereferences it, and the driver retains its transfers until it ends.
    @exclusivity(unchecked) private(set) unowned(unsafe) var transfer: CurlTransfer?
    /// The response received in the current attempt.
    @exclusivity(unchecked) var response = IncomingResponse()
    /// The rest of the response's body, once the caller has the head.
    @exclusivity(unchecked) var stream: ResponseStream?
    /// How many bytes of an in-memory body libcurl has taken.
    @exclusivity(unchecked) private var bodySent = 0
    @exclusivity(unchecked) var result: Result<RawResponse, any Error>?

    init(_ request: consuming EncodedRequest, options: borrowing RequestOptions, defaults: borrowing RequestDefaults) {
        upload = if case .stream(let stream) = request.body { UploadStream(stream) } else { nil }
        self.request = request
        site = options.site
        if options.timeouts.areInherited {
            timeouts = defaults.timeouts
            phaseTimeouts = defaults.phases
        } else {
            timeouts = options.timeouts.over(defaults.timeouts)
            phaseTimeouts = PhaseTimeouts(timeouts)
        }
    }

    var pending: PendingSubmission {
        PendingSubmission(number: number, origin: request.origin, site: site, submitted: submitted)
    }

    /// The request as the state machine needs it.
    var forStateMachine: NewRequest {
        NewRequest(
            number: number,
            origin: request.origin,
            site: site,
            submitted: submitted,
            timeouts: phaseTimeouts,
            isRepeatable: request.isRepeatable,
            hasBody: isUploading
        )
    }

    // MARK: Attempts

    /// Starts a new attempt and discards the state of an earlier one.
    func beginAttempt(on transfer: CurlTransfer) {
        self.transfer = transfer
        response.drop()
        response = IncomingResponse()
        bodySent = 0
        upload?.rewind()
    }

    /// Waits for the peer's name to be resolved. A transfer of an earlier attempt may carry out another exchange by
    /// now.
    func waitForName() {
        transfer = nil
        phase = .connect
    }

    /// Whether bytes of the body are still to be sent.
    var isUploading: Bool {
        switch request.body {
        case .none: false
        // A small body is sent with the head.
        case .bytes(let bytes): bodySent < bytes.count && request.bodyWithHead == nil
        case .stream: upload?.isUnderWay == true
        }
    }

    /// Copies the next bytes of the body.
    ///
    /// - Returns: the number of bytes; 0 at the end of the body, `nil` if no bytes are available yet.
    func send(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        switch request.body {
        case .none: return 0
        case .stream: return upload?.read(into: buffer)
        case .bytes(let bytes):
            let count = min(buffer.count, bytes.count - bodySent)
            bytes.withUnsafeBytes { bytes in
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[bodySent..<bodySent + count]))
            }
            bodySent += count
            return count
        }
    }

    // MARK: Completion

    /// Delivers the response before its body is complete. The caller gets the rest of the body as a stream.
    func deliverHead() {
        guard result == nil, stream == nil else { return }
        let stream = ResponseStream(response.takeBody())
        self.stream = stream
        result = .success(response.take(with: stream))
        finish()
    }

    /// Resumes the caller with the result, or ends the stream that it reads. Calling it again has no effect.
    func finish() {
        guard let result else { return }
        self.result = nil
        if case .failure = result { response.drop() }
        if let continuation {
            self.continuation = nil
            continuation.resume(with: result)
        } else {
            stream?.end(result.map { _ in })
        }
    }
}

/// The timeouts of requests that do not set their own.
struct RequestDefaults {
    let timeouts: PoolTimeouts
    let phases: PhaseTimeouts

    init(_ timeouts: PoolTimeouts) {
        self.timeouts = timeouts
        phases = PhaseTimeouts(timeouts)
    }
}
