import HTTPPool
import PoolDecisions

/// One request on its way through the pool, with the state that its caller and the driver keep.
///
/// Sound as `Sendable` because it has one owner at a time: the calling task until it is submitted, then the
/// driver's thread until it resumes the continuation, then the calling task again. Only `admission` and
/// `isResponseRefused` are shared; they are written under the mailbox's lock, as are `number`, `submitted` and
/// `caller` until the driver takes them. With a single owner, accesses need no check for overlap (see
/// ``CurlDriver``).
final class Exchange: @unchecked Sendable {
    enum Admission {
        case new, submitted, cancelled
    }

    let request: EncodedRequest
    let site: CallSite
    let timeouts: PoolTimeouts
    let phaseTimeouts: PhaseTimeouts
    /// Whether a span asks for what is not worth its cost otherwise.
    let isTraced: Bool

    var admission = Admission.new
    /// The reader ended the exchange because the response is invalid. Written before the exchange is added to the
    /// mailbox's cancellations, and read after the driver has taken them.
    @exclusivity(unchecked) var isResponseRefused = false
    @exclusivity(unchecked) var number: UInt64 = 0
    @exclusivity(unchecked) var submitted = MonotonicTime(nanoseconds: 0)
    /// The calling task, while it waits.
    @exclusivity(unchecked) var caller = CallerSlot()
    /// The request's body, while it is sent.
    @exclusivity(unchecked) var upload: RequestUpload

    // Used by the driver's thread only.
    @exclusivity(unchecked) var id: RequestID?
    /// The phase that the request has reached, for errors.
    @exclusivity(unchecked) var phase = PoolError.Phase.acquire
    /// Sound: only the driver dereferences it, and the driver retains its transfers until it ends.
    @exclusivity(unchecked) private(set) unowned(unsafe) var transfer: CurlTransfer?
    /// The attempt to open a connection was given up while the peer had yet to complete the TLS handshake.
    @exclusivity(unchecked) var wasInHandshake = false
    /// Not changed once the response has begun, so the caller may read it while the body still arrives.
    @exclusivity(unchecked) var acquisition = Acquisition()
    /// The response received in the current attempt.
    @exclusivity(unchecked) var response = IncomingResponse()

    init(_ request: consuming EncodedRequest, options: borrowing RequestOptions, defaults: borrowing RequestDefaults) {
        self.request = request
        // From the property: another use of the parameter would copy all of it.
        upload =
            switch self.request.body {
            case .none: RequestUpload(bytes: 0)
            case .bytes(let bytes): RequestUpload(bytes: EncodedRequest.isSentWithHead(bytes) ? 0 : bytes.count)
            case .stream(let stream): RequestUpload(stream)
            }
        site = options.site
        isTraced = options.isTraced
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
            hasBody: isUploading,
            trace: request.trace
        )
    }

    // MARK: Attempts

    /// Starts a new attempt and discards the state of an earlier one.
    func beginAttempt(on transfer: CurlTransfer) {
        self.transfer = transfer
        wasInHandshake = false
        response.drop()
        response = IncomingResponse()
        upload.rewind()
    }

    /// Waits for the peer's name to be resolved. A transfer of an earlier attempt may carry out another exchange by
    /// now.
    func waitForName() {
        transfer = nil
        wasInHandshake = false
        phase = .connect
    }

    /// Whether bytes of the body are still to be sent.
    var isUploading: Bool { upload.isUnderWay }

    /// Copies the next bytes of the body; see ``RequestUpload/read(_:into:)``.
    func send(into buffer: UnsafeMutableRawBufferPointer) -> Int? { upload.read(request.body, into: buffer) }

    // MARK: Completion

    /// Delivers the response before its body is complete. The caller gets the rest of the body as a stream.
    func deliverHead() {
        if caller.settleEarly(&response) { finish() }
    }

    /// Resumes the caller with the result, or ends the stream that it reads. Calling it again has no effect.
    func finish() { caller.deliver(dropping: &response) }
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
