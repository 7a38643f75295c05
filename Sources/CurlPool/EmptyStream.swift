import HTTPPool

/// Streams that are announced as empty. libcurl never reads from one, so nobody would notice that it is not.
extension HTTPRequestBody {
    /// Reads a stream with an announced length of 0 to its end, which is before anything is sent.
    ///
    /// - Returns: an empty body in memory, to be sent in its place.
    /// - Throws: ``PoolError`` with code `invalidRequest` if the stream has a byte; the stream's own errors.
    static func confirmingEmpty(_ body: HTTPRequestBody, to origin: Origin) async throws -> HTTPRequestBody {
        guard case .stream(let stream) = body.content else { return body }
        try await stream.write { chunk in
            guard chunk.isEmpty else { throw PoolError.wrongLength(0, origin: origin, phase: .submit) }
        }
        return .bytes([])
    }
}

extension PoolError {
    /// The error for a stream that has more or fewer bytes than its announced length.
    static func wrongLength(_ length: Int, origin: Origin? = nil, phase: Phase = .exchange) -> PoolError {
        PoolError(
            .invalidRequest,
            "the body does not have its announced length of \(length.of("byte"))",
            origin: origin,
            phase: phase
        )
    }
}
