import HTTPPool
import PoolDecisions

/// One request on its way through the pool, with what has come back for it.
///
/// Sound as `Sendable` because it has one owner at a time: the calling task until it is submitted, then the driver's
/// thread until it resumes the continuation, then the calling task again. `admission` and `isResponseRefused` alone are shared,
/// and written under the mailbox's lock; so are `number`, `submitted` and `continuation` until the driver takes them. With one
/// owner, accesses need no check for overlap (see ``CurlDriver``).
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
    /// Its reader ended it because the response is invalid. Written before it is among the mailbox's cancellations, and
    /// read after it was taken from there.
    @exclusivity(unchecked) var isResponseRefused = false
    @exclusivity(unchecked) var number: UInt64 = 0
    @exclusivity(unchecked) var submitted = MonotonicTime(nanoseconds: 0)
    /// Unsafe only in name: it is taken out when it is resumed, see ``finish(_:)``.
    @exclusivity(unchecked) var continuation: Continuation?

    /// The request's body, where it is a stream.
    let upload: UploadStream?

    // The driver's thread.
    @exclusivity(unchecked) var id: RequestID?
    /// How far the request has come.
    @exclusivity(unchecked) var phase = PoolError.Phase.acquire
    /// Sound: only the driver follows it, which keeps its transfers until it ends.
    @exclusivity(unchecked) private(set) unowned(unsafe) var transfer: CurlTransfer?
    @exclusivity(unchecked) var head = ResponseHead()
    /// What the response is gathered in, from its first line until it is handed over.
    @exclusivity(unchecked) private(set) var buffer: ResponseBuffer? {
        didSet { unretained = buffer.map(Unmanaged.passUnretained) }
    }
    /// The buffer again, for each line and piece, without counting references. Sound: `buffer` holds it.
    @exclusivity(unchecked) private var unretained: Unmanaged<ResponseBuffer>?
    /// The rest of the response's body, once its head was handed over.
    @exclusivity(unchecked) var stream: ResponseStream?
    /// How much of a body in memory libcurl has taken.
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

    /// What the state machine needs to know of it.
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

    // MARK: An attempt

    /// Forgets what an earlier attempt brought.
    func beginAttempt(on transfer: CurlTransfer) {
        self.transfer = transfer
        dropResponse()
        head = ResponseHead()
        bodySent = 0
        upload?.rewind()
    }

    /// It waits for its peer's name. What it was on before may be another's by now.
    func waitForName() {
        transfer = nil
        phase = .connect
    }

    /// Whether bytes of the body are still to be sent.
    var isUploading: Bool {
        switch request.body {
        case .none: false
        // Small ones went out with the head.
        case .bytes(let bytes): bodySent < bytes.count && request.bodyWithHead == nil
        case .stream: upload?.isUnderWay == true
        }
    }

    /// Copies the next bytes of the body; 0 at its end, `nil` where there are none yet.
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

    // MARK: Its response

    /// Begins a response.
    func beginResponse(in buffer: ResponseBuffer) { self.buffer = buffer }

    /// Takes a line of a header block.
    ///
    /// - Returns: why the response is refused, where it is.
    func take(header line: UnsafeBufferPointer<UInt8>) -> ResponseHead.Fault? {
        guard let unretained else { return head.take(dropped: line) }
        return unretained._withUnsafeGuaranteedRef { head.take(line, into: $0) }
    }

    /// Takes what has come of the body.
    ///
    /// - Returns: whether a response has begun.
    func take(body bytes: UnsafeBufferPointer<UInt8>, expecting expected: @autoclosure () -> Int) -> Bool {
        unretained?._withUnsafeGuaranteedRef { $0.append(body: bytes, expecting: expected()) } != nil
    }

    /// How many bytes of the body have come, before the response was handed over.
    var bodyCount: Int { unretained?._withUnsafeGuaranteedRef { $0.body.count } ?? 0 }

    /// The response, to be handed over; what comes later does not reach its buffer.
    func takeResponse(rest stream: ResponseStream? = nil) -> RawResponse {
        buffer?.passOn()
        defer { buffer = nil }
        return RawResponse(buffer: buffer, stream: stream)
    }

    private func dropResponse() {
        buffer?.giveBack()
        buffer = nil
    }

    // MARK: Its end

    /// The head is there and the body is not: the caller is to have the response, and the rest as a stream.
    func handOver() {
        let stream = ResponseStream(buffer?.takeBody() ?? [])
        self.stream = stream
        result = .success(takeResponse(rest: stream))
    }

    /// Resumes the caller with the result, or ends the stream that it reads. A second call does nothing.
    func finish() {
        guard let result else { return }
        self.result = nil
        if case .failure = result { dropResponse() }
        if let continuation {
            self.continuation = nil
            continuation.resume(with: result)
        } else {
            stream?.end(result.map { _ in })
        }
    }
}

/// The timeouts of requests that have none of their own.
struct RequestDefaults {
    let timeouts: PoolTimeouts
    let phases: PhaseTimeouts

    init(_ timeouts: PoolTimeouts) {
        self.timeouts = timeouts
        phases = PhaseTimeouts(timeouts)
    }
}
