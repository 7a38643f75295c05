import HTTPPool

/// What callers are told: the causes of the state machine and of libcurl, with origin, time and limit.
extension CurlDriver {
    func describe(_ error: PoolError, _ exchange: Exchange) -> PoolError {
        var error = error
        error.origin = exchange.request.origin
        error.elapsed = .nanoseconds(Int64(clamping: MonotonicClock.now() - exchange.submitted))
        return error
    }

    /// The error for a request that the pool itself ended.
    func failure(of exchange: Exchange, _ failure: RequestFailure) -> any Error {
        let timeouts = exchange.timeouts
        let error: PoolError
        switch failure {
        case .cancelled: return CancellationError()
        case .acquireTimeout(let limit, let others):
            let setting: PoolSetting =
                switch limit {
                case .connections: .maxConnections
                case .connectionsPerOrigin: .maxConnectionsPerOrigin
                }
            error = PoolError(
                .acquireTimeout,
                "no connection became free within the acquire timeout of \(text(timeouts.acquire)); \(others) others wait",
                phase: .acquire,
                limit: inForce(setting)
            )
        case .queueFull:
            error = PoolError(
                .queueFull,
                "as many requests wait for a connection as may",
                phase: .acquire,
                limit: inForce(.maxQueuedRequests)
            )
        case .connectTimeout:
            debugDump(exchange)
            error = timeout(
                .connectTimeout,
                "the connection was not ready",
                .connect,
                .connectTimeout,
                timeouts.connect
            )
        case .readTimeout:
            error = timeout(.readTimeout, "no byte of the answer came", .exchange, .readTimeout, timeouts.read)
        case .writeTimeout:
            error = timeout(.writeTimeout, "the peer took no byte", .exchange, .writeTimeout, timeouts.write)
        case .totalTimeout:
            error = timeout(.totalTimeout, "the answer was not complete", .exchange, .totalTimeout, timeouts.total)
        case .shutdown: error = Self.isShutDown
        // What the caller's own sequence threw is the caller's own.
        case .bodyFailed:
            guard let failure = exchange.upload?.failure as? PoolError else {
                return exchange.upload?.failure ?? CancellationError()
            }
            error = failure
        }
        return describe(error, exchange)
    }

    static let isShutDown = PoolError(.shutdown, "the client is shut down, or shutting down", phase: .acquire)

    static let connectionDied = PoolError(
        .connectionLost,
        "the reused connection was dead, and the request is not sent twice",
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
            limit: PoolError.Limit(setting: setting, value: .duration(value))
        )
    }

    private func inForce(_ setting: PoolSetting) -> PoolError.Limit {
        PoolError.Limit(setting: setting, value: settings.configuration.value(of: setting))
    }

    private func text(_ duration: Duration?) -> String { PoolSetting.Value.duration(duration).description }
}

extension CurlDriver {
    func debugDump(_ exchange: Exchange) {
        print("DUMP req", exchange.number, exchange.request.method, "transfer", exchange.transfer.map { "running \($0.isRunning) own \($0.exchange === exchange) start \($0.start) sent \($0.wasSent) slot \($0.slot?.id ?? -1)" } ?? "none", "joining", joining.count, "spare", spare.count, "timer", curlTimer.map { Int64($0.nanoseconds) - Int64(now.nanoseconds) } ?? -1)
        for (id, slot) in slots.enumerated() where slot != nil {
            guard let slot else { continue }
            print("  driver slot", id, "share", slot.share != nil, "conn", slot.connection ?? -1, "multi", slot.isMultiplexed, "own", slot.transfer.isRunning, slot.transfer.wasSent, slot.transfer.exchange?.number ?? 0, slot.transfer.start, "others", slot.others.map { "\($0.exchange?.number ?? 0)/\($0.start)/\($0.isRunning)/\($0.wasSent)" })
        }
        for id in machine.slots.indices {
            let s = machine.slots[id]
            print("  machine slot", id, s.state, "streams", s.streams, "cap", s.capacity, "multi", s.isMultiplexed as Any, "roomy", s.isRoomy, "retiring", s.retiring as Any, "trial", s.trial as Any, "count", s.requests.count)
            var next = s.requests.first
            while let r = next { next = machine.requestLinks.next(after: r); print("     ", machine.requests[r].number, machine.requests[r].state, "joining", machine.requests[r].isJoining, "retry", machine.requests[r].isRetry) }
        }
    }
}
