package import HTTPPool

/// The highest level of each of the last 60 whole seconds and the running one.
struct PeakWindow: Sendable {
    private static let length = 61
    /// The highest level of each second, by the second modulo the length.
    private var cells = [Int32](repeating: 0, count: length)
    /// The second of the last level.
    private var second: UInt64 = 0
    private var level: Int32 = 0

    /// The level from `now` on.
    mutating func set(_ level: Int, at now: MonotonicTime) {
        advance(to: now)
        self.level = Int32(clamping: level)
        let cell = Int(second % UInt64(Self.length))
        cells[cell] = max(cells[cell], self.level)
    }

    /// The highest level of the window that ends at `now`.
    func highest(at now: MonotonicTime) -> Int {
        var window = self
        window.advance(to: now)
        return Int(window.cells.max() ?? 0)
    }

    /// Begins the seconds that have passed, during which the level did not change.
    private mutating func advance(to now: MonotonicTime) {
        let new = now.nanoseconds / 1_000_000_000
        guard new > second else { return }
        let passed = min(new - second, UInt64(Self.length))
        for step in 0..<passed { cells[Int((new - step) % UInt64(Self.length))] = level }
        second = new
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

    private var active = PeakWindow()
    private var open = PeakWindow()
    private var queued = PeakWindow()
    private var demand = PeakWindow()

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

    /// Publishes the levels from `now` on.
    mutating func set(_ levels: OriginLevels, _ saturation: PoolSaturation, at now: MonotonicTime) {
        advance(to: now)
        self.saturation = saturation
        guard levels != self.levels else { return }
        self.levels = levels
        active.set(levels.connections.active, at: now)
        open.set(levels.connections.total, at: now)
        queued.set(levels.requests.queued, at: now)
        demand.set(levels.requests.total, at: now)
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

    /// The peaks at `now`. `unreported` requests are queued beyond the published levels.
    func peaks(at now: MonotonicTime, unreported: Int) -> PoolPeaks {
        PoolPeaks(
            active: active.highest(at: now),
            open: open.highest(at: now),
            queued: max(queued.highest(at: now), levels.requests.queued &+ unreported),
            demand: max(demand.highest(at: now), levels.requests.total &+ unreported)
        )
    }
}

/// The highest levels of the last 60 seconds.
public struct PoolPeaks: Sendable, Hashable {
    /// Connections in use.
    public let active: Int
    /// Connecting, active and idle connections together.
    public let open: Int
    /// Queued requests, those not yet taken by the pool included.
    public let queued: Int
    /// Queued, connecting and in-flight requests together: on HTTP/1.1, the number of connections with which no request
    /// would have waited.
    public let demand: Int
}
