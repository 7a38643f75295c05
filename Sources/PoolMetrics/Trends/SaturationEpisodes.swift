package import HTTPPool

/// The times in which a limit kept requests waiting, exactly, by turn.
///
/// An episode ends when for five seconds the limit has kept nobody waiting, so that a pool at the edge of its limit is in one
/// long episode.
struct SaturationEpisodes: Sendable {
    static let quiet: UInt64 = 5_000_000_000

    private(set) var saturation: PoolSaturation = []
    /// Until when the time of ``saturation`` is in ``SaturationEpisode/held``.
    private var counted = MonotonicTime(nanoseconds: 0)
    /// The episodes that go on.
    private(set) var open: [SaturationEpisode] = []
    private var waits = Counts<PoolLimit>()
    /// The waits up to the end of the last turn.
    private var reported = Counts<PoolLimit>()
    /// Whether a request had to wait since then.
    private var hasWaits = false

    /// A request has to wait because of the limit.
    mutating func waited(behind limit: PoolLimit) {
        waits[limit] &+= 1
        hasWaits = true
    }

    /// Whether ``set(_:at:)`` has anything to do.
    func isNews(_ new: PoolSaturation) -> Bool { hasWaits || !new.isEmpty || !saturation.isEmpty }

    /// The limits that keep a request waiting from `now` on.
    ///
    /// - Returns: the episodes that begin.
    mutating func set(_ new: PoolSaturation, at now: MonotonicTime) -> [SaturationEpisode] {
        defer {
            reported = waits
            hasWaits = false
        }
        guard !new.isEmpty || !saturation.isEmpty else { return [] }
        countTime(until: now)
        for index in open.indices where saturation.contains(open[index].limit) || new.contains(open[index].limit) {
            open[index].lastHeld = max(now, open[index].lastHeld)
        }
        let begun = new == saturation ? [] : begin(new, at: now)
        saturation = new
        return begun
    }

    private mutating func countTime(until now: MonotonicTime) {
        for index in open.indices where saturation.contains(open[index].limit) { open[index].held += now - counted }
        counted = max(now, counted)
    }

    private mutating func begin(_ new: PoolSaturation, at now: MonotonicTime) -> [SaturationEpisode] {
        var begun: [SaturationEpisode] = []
        for limit in PoolLimit.allCases where new.contains(limit) && !open.contains(where: { $0.limit == limit }) {
            begun.append(SaturationEpisode(limit: limit, began: now, lastHeld: now, waitsBefore: reported[limit]))
        }
        open += begun
        return begun
    }

    /// Ends the episodes that are over.
    mutating func end(at now: MonotonicTime) -> [SaturationEpisode] {
        guard !open.isEmpty else { return [] }
        countTime(until: now)
        for index in open.indices {
            if saturation.contains(open[index].limit) { open[index].lastHeld = max(now, open[index].lastHeld) }
            open[index].waited = waits[open[index].limit] &- open[index].waitsBefore
        }
        let over = open.filter { now - $0.lastHeld >= Self.quiet }
        if !over.isEmpty { open.removeAll { now - $0.lastHeld >= Self.quiet } }
        return over
    }
}

/// A time in which a limit kept requests waiting.
package struct SaturationEpisode: Sendable, Hashable {
    /// The limit.
    package let limit: PoolLimit
    /// When it began to keep a request waiting,
    package let began: MonotonicTime
    /// and when it last did.
    package fileprivate(set) var lastHeld: MonotonicTime
    /// For how long of that time it kept a request waiting, in nanoseconds.
    package fileprivate(set) var held: UInt64 = 0
    fileprivate let waitsBefore: UInt64
    /// How many requests it has made wait.
    package fileprivate(set) var waited: UInt64 = 0

    fileprivate init(limit: PoolLimit, began: MonotonicTime, lastHeld: MonotonicTime, waitsBefore: UInt64) {
        self.limit = limit
        self.began = began
        self.lastHeld = lastHeld
        self.waitsBefore = waitsBefore
    }

    package init(limit: PoolLimit, began: MonotonicTime, lastHeld: MonotonicTime, waited: UInt64) {
        self.init(limit: limit, began: began, lastHeld: lastHeld, waitsBefore: 0)
        self.waited = waited
    }
}
