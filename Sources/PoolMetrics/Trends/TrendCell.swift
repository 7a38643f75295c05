/// What happened in ten seconds or in a minute, in 24 bytes. Numbers that are too large are shown as the largest.
package struct TrendCell: Sendable, Hashable {
    private var queued: UInt32 = 0
    private var active: UInt16 = 0
    /// The highest bit: ``isTroubled``.
    private var overdueAndTrouble: UInt16 = 0
    private var finished: UInt32 = 0
    private var failed: UInt32 = 0
    private var responded: UInt32 = 0
    private var microseconds: UInt32 = 0

    /// The highest number of queued requests.
    package var queuedPeak: Int {
        get { Int(queued) }
        set { queued = UInt32(clamping: newValue) }
    }

    /// The highest number of active connections.
    package var activePeak: Int {
        get { Int(active) }
        set { active = UInt16(clamping: newValue) }
    }

    /// The highest number of overdue leases that was seen.
    package var overduePeak: Int {
        get { Int(overdueAndTrouble & 0x7fff) }
        set { overdueAndTrouble = overdueAndTrouble & 0x8000 | UInt16(clamping: min(max(0, newValue), 0x7fff)) }
    }

    /// Whether a condition that a person should know of held, so that the cell says nothing about what is usual.
    package var isTroubled: Bool {
        get { overdueAndTrouble & 0x8000 != 0 }
        set { overdueAndTrouble = overdueAndTrouble & 0x7fff | (newValue ? 0x8000 : 0) }
    }

    /// The number of requests that ended.
    package var requests: Int {
        get { Int(finished) }
        set { finished = UInt32(clamping: newValue) }
    }

    /// How many of them failed.
    package var failures: Int {
        get { Int(failed) }
        set { failed = UInt32(clamping: newValue) }
    }

    /// The number of response heads.
    package var responses: Int {
        get { Int(responded) }
        set { responded = UInt32(clamping: newValue) }
    }

    /// The median time from acquisition to the response head, in seconds; `nil` without a response.
    package var medianSeconds: Double? { responded > 0 ? Double(microseconds) / 1e6 : nil }

    init() {}

    /// Sets the median time to the response head.
    mutating func set(median nanoseconds: UInt64?) { microseconds = UInt32(clamping: (nanoseconds ?? 0) / 1000) }

    /// The cell of a period that consists of the periods of `cells`.
    init(_ cells: some Sequence<TrendCell>) {
        for cell in cells {
            queued = max(queued, cell.queued)
            active = max(active, cell.active)
            overduePeak = max(overduePeak, cell.overduePeak)
            isTroubled = isTroubled || cell.isTroubled
            requests += cell.requests
            failures += cell.failures
            responses += cell.responses
        }
        microseconds = Self.medianMicroseconds(cells)
    }

    /// The median of all responses in `cells`, in seconds, with each cell's median standing for its responses.
    package static func medianSeconds(_ cells: some Sequence<TrendCell>) -> Double? {
        cells.contains { $0.responded > 0 } ? Double(medianMicroseconds(cells)) / 1e6 : nil
    }

    private static func medianMicroseconds(_ cells: some Sequence<TrendCell>) -> UInt32 {
        let sorted = cells.filter { $0.responded > 0 }.sorted { $0.microseconds < $1.microseconds }
        let total = sorted.reduce(UInt64(0)) { $0 + UInt64($1.responded) }
        var below: UInt64 = 0
        for cell in sorted {
            below += UInt64(cell.responded)
            if 2 * below >= total { return cell.microseconds }
        }
        return 0
    }
}
