import HTTPPool

/// Why the pool ends a request whose transfer has not ended: what the caller gets, and what is recorded where the request
/// was at the time.
package struct EndCause {
    let failure: RequestFailure
    /// If it had no connection.
    let acquireFailure: AcquireFailure
    /// If its connection was being opened for it.
    let connectFailure: ConnectFailure
    /// If it held a connection,
    let outcome: LeaseOutcome
    /// and had it for itself.
    let closeReason: CloseReason

    /// The caller cancelled it, or dropped the response.
    package static var cancelled: EndCause {
        EndCause(.cancelled, .cancelled, .cancelled, .cancelled, .requestCancelled)
    }

    /// The reader of the response found that it is invalid.
    package static var responseRefused: EndCause {
        EndCause(.cancelled, .cancelled, .cancelled, .invalidResponse, .error)
    }

    /// The body that the caller was to provide failed.
    package static var bodyFailed: EndCause {
        EndCause(.bodyFailed, .cancelled, .cancelled, .callerFailed, .requestCancelled)
    }

    /// The period of grace is over.
    static var shutdown: EndCause { EndCause(.shutdown, .shutdown, .cancelled, .shutdown, .shutdown) }

    /// A timeout other than the acquire timeout.
    static func timeout(_ failure: RequestFailure) -> EndCause {
        let acquireFailure: AcquireFailure = failure == .connectTimeout ? .connectFailed : .timeout
        return EndCause(failure, acquireFailure, .timeout, .timeout, .requestTimeout)
    }

    private init(
        _ failure: RequestFailure,
        _ acquireFailure: AcquireFailure,
        _ connectFailure: ConnectFailure,
        _ outcome: LeaseOutcome,
        _ closeReason: CloseReason
    ) {
        self.failure = failure
        self.acquireFailure = acquireFailure
        self.connectFailure = connectFailure
        self.outcome = outcome
        self.closeReason = closeReason
    }
}
