public import HTTPPool

/// A value in a histogram, with the trace that it belongs to.
public struct Exemplar: Sendable, Hashable {
    /// The trace of the request.
    public let trace: TraceID
    /// The value, in seconds or requests.
    public let value: Double
    /// When it was observed, in seconds since 1970, to the millisecond.
    public let time: Double
}

extension PoolDurations {
    /// Keeps the traced events of a turn as exemplars. Called after they were counted.
    ///
    /// - Parameter wall: the time of the end of the turn, in seconds since 1970.
    mutating func addExemplars(of turn: borrowing PoolTurn, wall: Double) {
        for traced in turn.traces where turn.events.indices.contains(traced.event) {
            let event = turn.events[traced.event]
            let time = wall - Double(turn.now - event.time) / 1e9
            keep(event.kind, traced.trace, at: (time * 1000).rounded() / 1000)
        }
    }

    private mutating func keep(_ kind: PoolEvent.Kind, _ trace: TraceID, at time: Double) {
        switch kind {
        case .acquired(_, let waited, let queued):
            acquired.keep(waited, trace, at: time)
            queuedAcquired.keep(queued, trace, at: time)
        case .acquireFailed(_, let waited, let queued):
            acquireFailed.keep(waited, trace, at: time)
            queuedFailed.keep(queued, trace, at: time)
        case .connectionOpened(let took): connected.keep(took, trace, at: time)
        case .connectFailed(_, let took): connectFailed.keep(took, trace, at: time)
        case .responded(let waited): timeToHead.keep(waited, trace, at: time)
        case .leaseEnded(_, let held): lease.keep(held, trace, at: time)
        case .queued, .connecting, .staleRetry, .connectionClosed: break
        }
    }
}

extension Exemplar {
    /// The number of bytes that an exemplar takes in OpenMetrics, seldom more.
    static let estimatedSize = 90

    /// Writes ` # {trace_id="…"} value time`. The label takes 40 of the 128 characters that OpenMetrics allows.
    func write(to room: inout ExpositionRoom) {
        room.append(Self.beginning)
        room.append(trace.digits)
        room.append(Self.end)
        room.append(value: value)
        room.append(UInt8(ascii: " "))
        room.append(value: time)
    }

    private static let beginning = Array(" # {trace_id=\"".utf8)
    private static let end = Array("\"} ".utf8)
}
