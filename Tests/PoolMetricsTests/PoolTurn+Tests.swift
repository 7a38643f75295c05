import HTTPPool

@testable import PoolMetrics

/// Turns in few words.
extension PoolTurn {
    init(_ events: [PoolEvent] = []) {
        self.init(now: MonotonicTime(nanoseconds: 0))
        self.events = events
    }

    /// Introduces an origin.
    func introducing(_ index: Int32, _ host: String) -> PoolTurn {
        var turn = self
        turn.newOrigins.append(PoolTurn.NewOrigin(OriginID(index: index), Origin(scheme: "http", host: host, port: 80)))
        return turn
    }

    /// Sets the levels of an origin.
    func levels(_ index: Int32, idle: Int = 0, active: Int = 0, queued: Int = 0, inFlight: Int = 0) -> PoolTurn {
        var turn = self
        var levels = OriginLevels()
        levels.connections.idle = idle
        levels.connections.active = active
        levels.requests.queued = queued
        levels.requests.inFlight = inFlight
        turn.origins.append(PoolTurn.ChangedOrigin(OriginID(index: index), levels))
        return turn
    }

    /// Sets the levels of a call site.
    func levels(_ site: CallSite, queued: Int) -> PoolTurn {
        var turn = self
        var levels = RequestLevels()
        levels.queued = queued
        turn.sites.append(PoolTurn.ChangedSite(site, levels))
        return turn
    }
}

extension OriginID {
    static let a = OriginID(index: 0)
    static let b = OriginID(index: 1)
}

extension PoolTally {
    /// Adds a turn whose trends do not matter.
    mutating func add(_ turn: PoolTurn, wall: Double?) {
        var trends = PoolTrends(at: turn.now)
        add(turn, &trends, wall: wall)
    }
}
