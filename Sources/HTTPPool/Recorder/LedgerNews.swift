/// What was reported in the current turn, levels apart.
struct LedgerNews: Sendable {
    private var events: [PoolEvent] = []
    private var traces: [PoolTurn.EventTrace] = []
    var failures: [PoolTurn.OriginFailure] = []
    /// The limits and timeouts, if they changed.
    var configuration: PoolConfiguration?

    var isEmpty: Bool { events.isEmpty && failures.isEmpty && configuration == nil }

    /// - Parameter trace: the trace of its request, if that is part of one that is sampled.
    mutating func append(_ event: PoolEvent, of trace: TraceID?) {
        if let trace { traces.append(PoolTurn.EventTrace(event: events.count, trace)) }
        events.append(event)
    }

    /// Hands everything over; the next turn begins without any.
    mutating func move(to turn: inout PoolTurn) {
        turn.events = events
        turn.traces = traces
        turn.failures = failures
        turn.configuration = configuration
        events.removeAll(keepingCapacity: true)
        traces.removeAll(keepingCapacity: true)
        failures.removeAll()
        configuration = nil
    }
}
