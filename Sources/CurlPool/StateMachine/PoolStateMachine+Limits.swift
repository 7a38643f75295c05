import HTTPPool

/// Limits that change while the pool runs: rule 11.
extension PoolStateMachine {
    /// Puts other limits in force. Raising one serves the queue at once; lowering one closes idle connections beyond it, and
    /// active ones when their request is done.
    mutating func reconfigure(_ configuration: PoolConfiguration, at now: MonotonicTime) {
        rules = PoolRules(configuration)
        turn.configuration = configuration
        trimIdle(at: now)
        while connectionCount > rules.maxConnections, let slot = idleOrder.first { close(slot, .idleSurplus, at: now) }
        for origin in origins.indices {
            while origins[origin].levels.connections.total > rules.maxConnectionsPerOrigin,
                let slot = origins[origin].idle.first
            {
                close(slot, .idleSurplus, at: now)
            }
            makeEligible(origin)
        }
        for slot in slots.indices where slots[slot].state == .idle { arm(slot) }
        serve(at: now)
    }
}
