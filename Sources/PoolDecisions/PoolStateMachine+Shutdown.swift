package import HTTPPool

/// The end of the pool: rule 10.
extension PoolStateMachine {
    struct Shutdown {
        var policy: ShutdownPolicy
        var graceEnds: MonotonicTime
    }

    /// Refuses what comes from now on and lets go of what is there, as the policy says. A second call can only shorten
    /// the grace.
    package mutating func beginShutdown(_ policy: ShutdownPolicy, at now: MonotonicTime) -> PoolActions {
        let graceEnds = now + policy.grace.wholeNanoseconds
        if let begun = shutdown {
            shutdown?.graceEnds = min(begun.graceEnds, graceEnds)
        } else {
            shutdown = Shutdown(policy: policy, graceEnds: graceEnds)
        }
        if policy.queued == .fail {
            shutdown?.policy.queued = .fail
            for id in requests.indices where waiting.contains(id) {
                removeFromQueue(id)
                failAcquisition(id, .shutdown, .shutdown, at: now)
            }
        }
        trimIdle(at: now)
        forgetRefusals()
        doWhatIsDue(at: now)
        return actions.take()
    }

    /// Whether the shutdown has come to its end: no request and no connection is left.
    package var isDrained: Bool { shutdown != nil && requests.count == 0 && slots.count == 0 }

    /// Nothing is remembered for longer than the pool lives.
    private mutating func forgetRefusals() {
        for origin in origins.indices where record.isEmpty(origin) {
            refusals.forget(origin)
            // It can go with this turn.
            record.touch(origin)
        }
        refusals.stopRemembering()
    }

    /// The grace is over: whatever is left fails. Those without a connection go first, so that nobody moves into what the
    /// others leave.
    mutating func endGrace(at now: MonotonicTime) {
        for id in requests.indices.sorted(by: { hold(of: $0) < hold(of: $1) }) {
            abort(id, .shutdown, at: now)
        }
        trimIdle(at: now)
        refusals.forgetAll()
        shutdown?.graceEnds = .never
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
