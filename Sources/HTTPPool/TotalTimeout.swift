package import HTTPTypes

/// The total timeout of a request that takes several exchanges one after the other: the hops of a redirect, the attempts
/// of a retry. It covers them together.
package struct TotalTimeout: Sendable {
    private let options: RequestOptions
    private let timeouts: PoolTimeouts
    private let configuration: PoolConfiguration

    /// The timeout of a request with these options, sent by a client with this configuration.
    package init(_ options: RequestOptions, defaults configuration: PoolConfiguration) {
        self.options = options
        self.configuration = configuration
        timeouts = options.timeouts.over(configuration.timeouts)
    }

    /// How long the whole may take; `nil` is no limit.
    package var total: Duration? { timeouts.total }

    /// The options for the exchange of `request` that begins `elapsed` after the whole did: it gets what is left.
    ///
    /// - Throws: ``PoolError`` with code `totalTimeout` where nothing is left.
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

    /// The error of one exchange. That of the total timeout gives the whole timeout, not what was left of it.
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
