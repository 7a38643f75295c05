import HTTPPool

/// The end of the pool: rule 10.
extension PoolStateMachine {
    /// Refuses what comes from now on and lets go of what is there, as the policy says. A second call can only shorten
    /// the grace.
    mutating func beginShutdown(_ policy: ShutdownPolicy, at now: MonotonicTime) {
        let graceEnds = now + policy.grace.wholeNanoseconds
        if let begun = shutdown {
            shutdown?.graceEnds = min(begun.graceEnds, graceEnds)
        } else {
            shutdown = Shutdown(policy: policy, graceEnds: graceEnds)
        }
        if policy.queued == .fail {
            while let id = queueOrder.first {
                removeFromQueue(id)
                failAcquisition(id, .shutdown, .shutdown, at: now)
            }
        }
        trimIdle(at: now)
        timePassed(to: now)
    }

    /// Whether the shutdown has come to its end: no request and no connection is left.
    var isDrained: Bool { shutdown != nil && requests.count == 0 && slots.count == 0 }

    /// The grace is over: whatever is left fails.
    mutating func endGrace(at now: MonotonicTime) {
        for id in requests.indices {
            end(id, .shutdown, acquireFailure: .shutdown, closeReason: .shutdown, connectFailure: .cancelled, at: now)
        }
        trimIdle(at: now)
        shutdown?.graceEnds = MonotonicTime(nanoseconds: .max)
    }
}
