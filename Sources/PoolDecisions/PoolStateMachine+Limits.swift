package import HTTPPool

/// Limits that change while the pool runs: rule 11.
extension PoolStateMachine {
    /// Puts other limits in force. Raising one serves the queue at once; lowering one closes idle connections beyond it, and
    /// active ones when their requests are done.
    package mutating func reconfigure(_ configuration: PoolConfiguration, at now: MonotonicTime) -> PoolActions {
        rules = PoolRules(configuration)
        record.setConfiguration(configuration)
        trimIdle(at: now)
        while connectionCount > rules.maxConnections, let slot = idle.longestIdle {
            close(slot, .idleSurplus, at: now)
        }
        for origin in origins.indices {
            while record.connections(of: origin).total > rules.maxConnectionsPerOrigin,
                let slot = idle.longestIdle(of: origin)
            {
                close(slot, .idleSurplus, at: now)
            }
            rerank(origin)
        }
        for slot in slots.indices where slots[slot].state == .idle { arm(slot) }
        retireSurplus()
        serve(at: now)
        return actions.take()
    }

    /// A connection that carries several requests may never be without one. So those beyond the limits take no further
    /// request; those that were to go under earlier limits may stay.
    private mutating func retireSurplus() {
        for slot in slots.indices where slots[slot].retiring == .idleSurplus {
            slots[slot].noteWithinLimits()
            noteRoom(slot)
        }
        var surplus = connectionCount - rules.maxConnections
        var surplusOfOrigin: [Int: Int] = [:]
        for slot in slots.indices where slots[slot].retiring != nil {
            surplus -= 1
            surplusOfOrigin[slots[slot].origin, default: 0] -= 1
        }
        for slot in slots.indices where slots[slot].isMultiplexed != false && slots[slot].retiring == nil {
            let origin = slots[slot].origin
            let others = record.connections(of: origin).total + surplusOfOrigin[origin, default: 0]
            guard surplus > 0 || others > rules.maxConnectionsPerOrigin else { continue }
            guard slots[slot].state != .idle else { continue }
            retire(slot, .idleSurplus)
            surplus -= 1
            surplusOfOrigin[origin, default: 0] -= 1
        }
    }
}
