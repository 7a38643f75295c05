package import HTTPPool

/// The highest levels of the last 60 whole seconds and the running one.
struct PeakWindow: Sendable {
    private static let length = 61
    private static let second: UInt64 = 1_000_000_000

    /// The highest levels of each finished second, by the second modulo the length. Empty until the first second ends.
    private var cells: [PoolPeaks] = []
    /// Those of the running second.
    private var running = PoolPeaks()
    private var level = PoolPeaks()
    /// When the running second ends.
    private var end = MonotonicTime(nanoseconds: 0)

    /// The levels from `now` on.
    mutating func set(_ level: PoolPeaks, at now: MonotonicTime) {
        if now >= end { advance(to: now) }
        self.level = level
        running.raise(to: level)
    }

    /// Levels that were seen at `now` and do not last.
    mutating func raise(to peaks: PoolPeaks, at now: MonotonicTime) {
        if now >= end { advance(to: now) }
        running.raise(to: peaks)
    }

    /// The highest levels of the window that ends at `now`.
    func highest(at now: MonotonicTime) -> PoolPeaks {
        var window = self
        if now >= end { window.advance(to: now) }
        return window.cells.reduce(into: window.running) { $0.raise(to: $1) }
    }

    /// Ends the seconds that have passed. Since their last change the levels stayed what they are.
    private mutating func advance(to now: MonotonicTime) {
        let length = UInt64(Self.length)
        let new = now.nanoseconds / Self.second
        if end.nanoseconds > 0 {
            if cells.isEmpty { cells = Array(repeating: PoolPeaks(), count: Self.length) }
            let old = end.nanoseconds / Self.second - 1
            cells[Int(old % length)] = running
            for passed in 1..<max(1, min(new - old, length)) { cells[Int((new - passed) % length)] = level }
            // It is the one that the running second will replace.
            cells[Int(new % length)] = PoolPeaks()
        }
        running = level
        end = MonotonicTime(nanoseconds: (new + 1) * Self.second)
    }
}

/// The levels of the whole pool over time: peaks, and integrals in nanoseconds.
///
/// Both are computed from published levels, so they agree with what a scrape at that moment would have shown.
package struct PoolHistory: Sendable {
    /// The published levels.
    package private(set) var levels = OriginLevels()
    private(set) var saturation: PoolSaturation = []
    private var since: MonotonicTime?

    private var window = PeakWindow()
    /// Requests that the turn has taken which is being added.
    private var taken = 0

    package private(set) var connectionTime = ConnectionTime()
    package private(set) var queuedTime: UInt128 = 0
    package private(set) var saturatedTime = Counts<PoolLimit>()

    /// The time integral of connections by state.
    package struct ConnectionTime: Sendable {
        package fileprivate(set) var connecting: UInt128 = 0
        package fileprivate(set) var active: UInt128 = 0
        package fileprivate(set) var idle: UInt128 = 0

        /// Connections of all states.
        package var total: UInt128 { connecting + active + idle }
    }

    /// A turn takes requests that were handed in before it. Those of all origins belong to the turn that
    /// ``set(_:_:at:)`` ends.
    mutating func take(_ count: Int, waited: UInt64) {
        taken &+= count
        add(waited: waited)
    }

    /// Requests that no level shows have waited in the queue.
    mutating func add(waited: UInt64) { queuedTime &+= UInt128(waited) }

    /// Publishes the levels from `now` on.
    mutating func set(_ levels: OriginLevels, _ saturation: PoolSaturation, at now: MonotonicTime) {
        advance(to: now)
        if taken > 0 {
            // Until now they were queued beyond the levels.
            notePeak(unreported: taken, at: now)
            taken = 0
        }
        self.saturation = saturation
        guard levels != self.levels else { return }
        self.levels = levels
        window.set(PoolPeaks(levels, unreported: 0), at: now)
    }

    /// Adds the time since the last change to the integrals. A time before the last one adds nothing.
    mutating func advance(to now: MonotonicTime) {
        guard let since, since < now else {
            if since == nil { self.since = now }
            return
        }
        let time = UInt128(now - since)
        self.since = now
        connectionTime.connecting += time * UInt128(clamping: levels.connections.connecting)
        connectionTime.active += time * UInt128(clamping: levels.connections.active)
        connectionTime.idle += time * UInt128(clamping: levels.connections.idle)
        queuedTime += time * UInt128(clamping: levels.requests.queued)
        guard !saturation.isEmpty else { return }
        for limit in PoolLimit.allCases where saturation.contains(limit) {
            saturatedTime[limit] += UInt64(truncatingIfNeeded: time)
        }
    }

    /// So many requests are queued at `now` beyond the published levels, and a scrape shows that.
    mutating func notePeak(unreported: Int, at now: MonotonicTime) {
        window.raise(to: PoolPeaks(levels, unreported: unreported), at: now)
    }

    /// The peaks at `now`. `unreported` requests are queued beyond the published levels.
    func peaks(at now: MonotonicTime, unreported: Int) -> PoolPeaks {
        var peaks = window.highest(at: now)
        peaks.raise(to: PoolPeaks(levels, unreported: unreported))
        return peaks
    }
}

/// The highest levels of the last 60 seconds.
public struct PoolPeaks: Sendable, Hashable {
    /// Connections in use.
    public internal(set) var active = 0
    /// Connecting, active and idle connections together.
    public internal(set) var open = 0
    /// Queued requests, those not yet taken by the pool included.
    public internal(set) var queued = 0
    /// Queued, connecting and in-flight requests together: on HTTP/1.1, the number of connections with which no request
    /// would have waited.
    public internal(set) var demand = 0
}

extension PoolPeaks {
    /// The levels of one moment. `unreported` requests are queued beside them.
    init(_ levels: OriginLevels, unreported: Int) {
        active = levels.connections.active
        open = levels.connections.total
        queued = levels.requests.queued &+ unreported
        demand = levels.requests.total &+ unreported
    }

    mutating func raise(to other: PoolPeaks) {
        active = max(active, other.active)
        open = max(open, other.open)
        queued = max(queued, other.queued)
        demand = max(demand, other.demand)
    }
}
