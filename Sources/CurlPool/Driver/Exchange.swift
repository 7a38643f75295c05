import HTTPPool

/// One request on its way through the pool, with what has come back for it.
///
/// Sound as `Sendable` because it has one owner at a time: the calling task until it is submitted, then the driver's
/// thread until it resumes the continuation, then the calling task again. `admission` alone is shared, and read and
/// written under the mailbox's lock; so are `number`, `submitted` and `continuation` until the driver takes them. With one
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
    @exclusivity(unchecked) var number: UInt64 = 0
    @exclusivity(unchecked) var submitted = MonotonicTime(nanoseconds: 0)
    /// Unsafe only in name: it is taken out when it is resumed, see ``finish(_:)``.
    @exclusivity(unchecked) var continuation: Continuation?

    // The driver's thread.
    @exclusivity(unchecked) var id: RequestID?
    @exclusivity(unchecked) var response = RawResponse()
    /// How much of the body libcurl has taken.
    @exclusivity(unchecked) var bodySent = 0
    @exclusivity(unchecked) var result: Result<RawResponse, any Error>?

    init(_ request: EncodedRequest, options: RequestOptions, defaults: PoolTimeouts, phaseDefaults: PhaseTimeouts) {
        self.request = request
        site = options.site
        timeouts = options.timeouts ?? defaults
        phaseTimeouts = options.timeouts.map { PhaseTimeouts($0) } ?? phaseDefaults
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
            hasBody: !request.body.isEmpty
        )
    }

    /// Forgets what an earlier attempt brought.
    func beginAttempt() {
        response = RawResponse()
        bodySent = 0
    }

    /// Resumes the caller with the result. A second call does nothing.
    func finish() {
        guard let result, let continuation else { return }
        self.continuation = nil
        continuation.resume(with: result)
    }
}
