import HTTPPool

/// The caller of a request: it waits for the response, and may then read the rest of its body.
///
/// Whatever happens, the caller is resumed once, with the first result that is delivered.
struct CallerSlot {
    typealias Continuation = UnsafeContinuation<RawResponse, any Error>

    /// Safe because it is cleared when it is resumed.
    private var continuation: Continuation?
    private var result: Result<RawResponse, any Error>?
    /// The rest of the response's body, once the caller has the head.
    private(set) var stream: ResponseStream?

    mutating func wait(with continuation: Continuation) { self.continuation = continuation }

    /// Stores the result until ``deliver(dropping:)``.
    mutating func settle(_ result: Result<RawResponse, any Error>) { self.result = result }

    /// Makes the response so far the result. The caller gets the rest of the body as a stream.
    ///
    /// - Returns: `false` if there is a result, or a stream, already.
    mutating func settleEarly(_ response: inout IncomingResponse) -> Bool {
        guard result == nil, stream == nil else { return false }
        let stream = ResponseStream(response.takeBody())
        self.stream = stream
        result = .success(response.take(with: stream))
        return true
    }

    /// Resumes the caller with the result, or ends the stream that it reads. Has no effect without a new result.
    ///
    /// - Parameter response: dropped if the result is a failure.
    mutating func deliver(dropping response: inout IncomingResponse) {
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
