import HTTPPool
import PoolDecisions

/// One request on its way through the pool: what its caller waits for, and what the driver keeps of it.
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
    /// What the present attempt has brought.
    @exclusivity(unchecked) var response = IncomingResponse()
    /// What is left of the response's body, once the caller has its head.
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
        response.drop()
        response = IncomingResponse()
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

    // MARK: Its end

    /// The head is there and the body is not: the caller gets the response, with what is left of the body as a stream.
    func deliverHead() {
        guard result == nil, stream == nil else { return }
        let stream = ResponseStream(response.takeBody())
        self.stream = stream
        result = .success(response.take(with: stream))
        finish()
    }

    /// Resumes the caller with the result, or ends the stream that it reads. A second call does nothing.
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

/// The timeouts of requests that have none of their own.
struct RequestDefaults {
    let timeouts: PoolTimeouts
    let phases: PhaseTimeouts

    init(_ timeouts: PoolTimeouts) {
        self.timeouts = timeouts
        phases = PhaseTimeouts(timeouts)
    }
}
