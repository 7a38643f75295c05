import HTTPPool

/// The last ten minutes of an origin or of a pool in cells of ten seconds, and its last hour in cells of a minute.
package struct Trend: Sendable {
    /// Cells in each of the two rings.
    package static let length = 60
    /// Ten seconds, in nanoseconds.
    package static let period: UInt64 = 10_000_000_000
    static let cellsPerMinute = 6

    /// Both rings are empty until the first cell ends.
    private var tens: [TrendCell] = []
    private var minutes: [TrendCell] = []
    /// The counters at the end of each of the last cells.
    private var marks = InlineArray<7, RecentCounts>(repeating: RecentCounts())
    /// The running cell.
    private var running = TrendCell()
    private var timesToHead = TimeSketch()
    private var queued = 0
    private var active = 0

    init() {}

    /// The number of the cell in which `time` falls.
    static func cell(of time: MonotonicTime) -> Int { Int(time.nanoseconds / period) }

    // MARK: Recording

    mutating func setLevels(_ levels: OriginLevels) {
        queued = levels.requests.queued
        active = levels.connections.active
        if queued > running.queuedPeak { running.queuedPeak = queued }
        if active > running.activePeak { running.activePeak = active }
    }

    mutating func responded(after nanoseconds: UInt64) { timesToHead.add(nanoseconds) }

    mutating func noteTrouble() { running.isTroubled = true }

    /// So many leases are overdue; the first of them since the cell `first`.
    mutating func noteOverdue(_ count: Int, sinceCell first: Int, current: Int) {
        running.overduePeak = max(running.overduePeak, count)
        guard !tens.isEmpty else { return }
        for cell in max(first, current - Self.length + 1)..<max(first, current) {
            let index = cell % Self.length
            tens[index].overduePeak = max(1, tens[index].overduePeak)
        }
    }

    /// Ends the running cell, which is number `cell`, and those between it and number `next`, which is the running one from
    /// now on. `counts` are the counters at their end: nothing was counted after the end of `cell`.
    mutating func endCells(_ cell: Int, to next: Int, _ counts: RecentCounts) {
        guard next - cell > Self.length else {
            for cell in cell..<next { endCell(cell, counts) }
            return
        }
        // The cells of the running minute, then what is left of each ring. Levels stayed what they are.
        var cell = cell
        repeat {
            endCell(cell, counts)
            cell += 1
        } while !cell.isMultiple(of: Self.cellsPerMinute)
        let still = running
        for index in 0..<Self.length { tens[index] = still }
        let (first, end) = (cell / Self.cellsPerMinute, next / Self.cellsPerMinute)
        for minute in max(first, end - Self.length)..<max(first, end) { minutes[minute % Self.length] = still }
        marks = InlineArray(repeating: counts)
    }

    private mutating func endCell(_ cell: Int, _ counts: RecentCounts) {
        if tens.isEmpty {
            tens = Array(repeating: TrendCell(), count: Self.length)
            minutes = tens
        }
        let recent = counts.since(marks[(cell + 6) % 7])
        running.requests = Int(recent.finished)
        running.failures = Int(recent.failed)
        running.responses = Int(recent.responses)
        running.set(median: timesToHead.median)
        tens[cell % Self.length] = running
        marks[cell % 7] = counts
        if timesToHead.count > 0 { timesToHead = TimeSketch() }
        running = TrendCell()
        running.queuedPeak = queued
        running.activePeak = active
        let next = cell + 1
        guard next.isMultiple(of: Self.cellsPerMinute) else { return }
        let minute = next / Self.cellsPerMinute - 1
        minutes[minute % Self.length] = TrendCell((next - Self.cellsPerMinute..<next).map { tens[$0 % Self.length] })
    }

    // MARK: Reading

    /// The cells of the last ten minutes, the oldest first, the running one last.
    package func lastTens(current: Int) -> [TrendCell] {
        cells(of: tens, current - Self.length + 1..<current) + [running]
    }

    /// The last whole minutes, the oldest first; those of an hour at most.
    package func lastMinutes(_ count: Int = length, current: Int) -> [TrendCell] {
        let minute = current / Self.cellsPerMinute
        return cells(of: minutes, minute - min(count, Self.length)..<minute)
    }

    /// The cells of the last hour, the oldest first, the running minute last.
    package func lastHour(current: Int) -> [TrendCell] {
        let begin = current / Self.cellsPerMinute * Self.cellsPerMinute
        return lastMinutes(Self.length - 1, current: current)
            + [TrendCell(cells(of: tens, begin..<current) + [running])]
    }

    private func cells(of ring: [TrendCell], _ numbers: Range<Int>) -> [TrendCell] {
        numbers.map { $0 < 0 || ring.isEmpty ? TrendCell() : ring[$0 % Self.length] }
    }

    /// What was counted since the beginning of the cell six before the running one: 60 to 70 s.
    package func recent(_ counts: RecentCounts, current: Int) -> RecentCounts { counts.since(marks[current % 7]) }

    /// What was counted in the running cell and the one before: 10 to 20 s.
    package func justNow(_ counts: RecentCounts, current: Int) -> RecentCounts {
        counts.since(marks[(current + 5) % 7])
    }

    /// The median time to the head of the last responses, in seconds: those of the last 10 to 20 s, or of a minute if they are
    /// fewer than five.
    package func medianSeconds(current: Int) -> Double? {
        let last = timesToHead.count + UInt32(clamping: cells(of: tens, current - 1..<current).first?.responses ?? 0)
        var cells = cells(of: tens, current - (last >= 5 ? 1 : 6)..<current)
        var now = TrendCell()
        now.responses = Int(timesToHead.count)
        now.set(median: timesToHead.median)
        cells.append(now)
        return TrendCell.medianSeconds(cells)
    }

    /// The median time to the head of the responses of the last hour, minutes with trouble left out, in seconds; `nil` below
    /// 100 responses.
    package func usualSeconds(current: Int) -> Double? {
        let calm = lastMinutes(current: current).filter { !$0.isTroubled }
        guard calm.reduce(0, { $0 + $1.responses }) >= 100 else { return nil }
        return TrendCell.medianSeconds(calm)
    }
}
