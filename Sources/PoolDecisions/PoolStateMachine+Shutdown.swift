package import HTTPPool

/// The end of the pool: rule 10.
extension PoolStateMachine {
    /// Refuses what comes from now on and lets go of what is there, as the policy says. A second call can only shorten
    /// the grace.
    package mutating func beginShutdown(_ policy: ShutdownPolicy, at now: MonotonicTime) {
        let graceEnds = now + policy.grace.wholeNanoseconds
        if let begun = shutdown {
            shutdown?.graceEnds = min(begun.graceEnds, graceEnds)
        } else {
            shutdown = Shutdown(policy: policy, graceEnds: graceEnds)
        }
        if policy.queued == .fail {
            shutdown?.policy.queued = .fail
            for id in requests.indices where requests[id].isInQueue {
                removeFromQueue(id)
                failAcquisition(id, .shutdown, .shutdown, at: now)
            }
        }
        trimIdle(at: now)
        forgetIdleRefusals()
        timePassed(to: now)
    }

    /// Requests that are not finished.
    package var requestCount: Int { requests.count }

    /// Whether the shutdown has come to its end: no request and no connection is left.
    package var isDrained: Bool { shutdown != nil && requests.count == 0 && slots.count == 0 }

    /// The grace is over: whatever is left fails. Those without a connection go first, so that nobody moves into what the
    /// others leave.
    mutating func endGrace(at now: MonotonicTime) {
        for id in requests.indices.sorted(by: { hold(of: $0) < hold(of: $1) }) {
            end(id, .shutdown, acquireFailure: .shutdown, closeReason: .shutdown, connectFailure: .cancelled, at: now)
        }
        trimIdle(at: now)
        for origin in origins.indices { origins[origin].refusals = Refusals() }
        shutdown?.graceEnds = MonotonicTime(nanoseconds: .max)
    }

    /// How firmly a request holds a connection.
    private func hold(of id: RequestID) -> Int {
        switch requests[id].state {
        case .queued: 0
        case .connecting(let slot): isOpener(id, of: slot) ? 2 : 1
        case .inFlight: 2
        }
    }
}
