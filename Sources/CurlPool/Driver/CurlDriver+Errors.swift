import HTTPPool
import PoolDecisions

/// The errors that callers get, with origin, elapsed time and limit.
extension CurlDriver {
    func describe(_ error: PoolError, _ exchange: Exchange) -> PoolError {
        let origin = exchange.request.origin
        var error = options.isDirect ? error : naming(options.proxies.place(for: origin), error)
        error.origin = origin
        error.elapsed = .nanoseconds(Int64(clamping: MonotonicTime.now() - exchange.submitted))
        return error
    }

    /// Adds the proxy to what went wrong with a connection: without it, nobody can see which one was used.
    private func naming(_ proxy: String?, _ error: PoolError) -> PoolError {
        guard let proxy, error.phase == .connect || error.phase == .exchange else { return error }
        return PoolError(
            error.code,
            "\(error.reason); through the proxy \(proxy)",
            phase: error.phase,
            limit: error.limit
        )
    }

    /// The error for a request that the pool itself ended.
    func failure(of exchange: Exchange, _ failure: RequestFailure) -> any Error {
        let timeouts = exchange.timeouts
        var error: PoolError
        switch failure {
        case .cancelled: return CancellationError()
        case .acquireTimeout(let limit, let others):
            error = acquireTimeout(timeouts.acquire, behind: limit, otherWaiters: others)
        case .queueFull:
            error = PoolError(
                .queueFull,
                "the queue for connections is full",
                phase: .acquire,
                limit: inForce(.maxQueuedRequests)
            )
        case .connectTimeout:
            error = timeout(
                .connectTimeout,
                exchange.wasInHandshake ? Self.incompleteHandshake : "the connection was not ready",
                .connect,
                .connectTimeout,
                timeouts.connect
            )
        case .readTimeout:
            error = timeout(.readTimeout, "no byte of the response arrived", .exchange, .readTimeout, timeouts.read)
        case .writeTimeout:
            error = timeout(.writeTimeout, "the peer accepted no data", .exchange, .writeTimeout, timeouts.write)
        case .totalTimeout:
            error = timeout(
                .totalTimeout,
                exchange.wasInHandshake ? Self.incompleteHandshake : "the response was not complete",
                .exchange,
                .totalTimeout,
                timeouts.total
            )
        case .shutdown:
            error = Self.isShutDown
            error.phase = exchange.phase
        // An error thrown by the caller's own body sequence is passed on unchanged.
        case .bodyFailed:
            guard let failure = exchange.upload.failure as? PoolError else {
                return exchange.upload.failure ?? CancellationError()
            }
            error = failure
        }
        return describe(error, exchange)
    }

    private static let incompleteHandshake = "the TLS handshake was not complete"

    static let isShutDown = PoolError(.shutdown, "the client is shut down, or shutting down", phase: .acquire)

    private func acquireTimeout(_ value: Duration?, behind limit: PoolLimit?, otherWaiters: Int) -> PoolError {
        let why =
            limit == nil
            ? "the peer refuses every request, and no connection could be tried" : "no connection became free"
        let setting: PoolSetting? =
            switch limit {
            case .connections: .maxConnections
            case .connectionsPerOrigin: .maxConnectionsPerOrigin
            case .streams, nil: nil
            }
        return PoolError(
            .acquireTimeout,
            "\(why) within the acquire timeout of \(text(value)); \(waiting(otherWaiters))",
            phase: .acquire,
            limit: setting.map(inForce)
        )
    }

    private func waiting(_ others: Int) -> String {
        switch others {
        case 0: "no other request is waiting"
        case 1: "1 other request is waiting"
        default: "\(others) other requests are waiting"
        }
    }

    static let peerRefuses = PoolError(
        .connectionLost,
        "the peer refused the request, as it did every request on its last connections",
        phase: .exchange
    )

    static let withoutClosingAlert = PoolError(
        .connectionLost,
        "the connection ended without a TLS closing alert, so the response may be truncated",
        phase: .exchange
    )

    static let connectionDied = PoolError(
        .connectionLost,
        "the reused connection was dead, and the request is not retried",
        phase: .exchange
    )

    private func timeout(
        _ code: PoolError.Code,
        _ what: String,
        _ phase: PoolError.Phase,
        _ setting: PoolSetting,
        _ value: Duration?
    ) -> PoolError {
        PoolError(
            code,
            "\(what) within \(text(value))",
            phase: phase,
            limit: PoolError.Limit(setting, value, in: settings.configuration)
        )
    }

    private func inForce(_ setting: PoolSetting) -> PoolError.Limit {
        PoolError.Limit(setting, in: settings.configuration)
    }

    private func text(_ duration: Duration?) -> String { PoolSetting.Value.duration(duration).description }
}
