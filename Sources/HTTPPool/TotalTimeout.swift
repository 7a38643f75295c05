package import HTTPTypes

/// The total timeout of a request that takes several exchanges: the hops of a redirect, the attempts of a retry. It
/// covers all of them together.
package struct TotalTimeout: Sendable {
    private let options: RequestOptions
    private let timeouts: PoolTimeouts
    private let configuration: PoolConfiguration

    /// Creates the timeout of a request with these options, sent by a client with this configuration.
    package init(_ options: RequestOptions, defaults configuration: PoolConfiguration) {
        self.options = options
        self.configuration = configuration
        timeouts = options.timeouts.over(configuration.timeouts)
    }

    /// The maximum duration of all exchanges together; `nil` means no limit.
    package var total: Duration? { timeouts.total }

    /// The options for an exchange that begins `elapsed` after the first one: its total timeout is the remaining
    /// time.
    ///
    /// - Throws: ``PoolError`` with code `totalTimeout` if no time remains.
    package func options(for request: HTTPRequest, after elapsed: Duration) throws(PoolError) -> RequestOptions {
        guard let total else { return options }
        guard elapsed < total else {
            let origin = try Origin(scheme: request.scheme, authority: request.authority)
            throw expired(origin, .submit, after: elapsed)
        }
        var options = options
        options.timeouts.total = .after(total - elapsed)
        return options
    }

    /// Converts the error of one exchange: a total timeout is reported with the whole limit, not the remaining
    /// time.
    package func whole(_ error: PoolError, after elapsed: Duration) -> PoolError {
        error.code == .totalTimeout ? expired(error.origin, error.phase, after: elapsed) : error
    }

    private func expired(_ origin: Origin?, _ phase: PoolError.Phase, after elapsed: Duration) -> PoolError {
        let limit = PoolError.Limit(.totalTimeout, total, in: configuration)
        return PoolError(
            .totalTimeout,
            "the response was not complete within \(limit.value)",
            origin: origin,
            phase: phase,
            elapsed: elapsed,
            limit: limit
        )
    }
}
