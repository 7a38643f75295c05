import HTTPPool
import Synchronization

/// How many clients the process had in the last minutes, as of the times at which somebody looked.
///
/// Clients that are made per request are known by their number alone, so whoever reads the pools also notes that.
final class CensusHistory: Sendable {
    private struct Mark {
        let time: MonotonicTime
        let created: UInt64
        let alive: UInt64
    }

    private let marks = Mutex<[Mark]>([])

    /// Marks are so far apart, in nanoseconds, and
    private static let period: UInt64 = 10_000_000_000
    /// a minute is measured from the youngest one that is older than this.
    private static let minute: UInt64 = 60_000_000_000
    private static let most = 16

    func note(created: UInt64, alive: UInt64, at now: MonotonicTime) {
        marks.withLock { marks in
            if let last = marks.last, now - last.time < Self.period { return }
            marks.append(Mark(time: now, created: created, alive: alive))
            if marks.count > Self.most { marks.removeFirst() }
        }
    }

    /// Clients made in a minute, and how many more are alive, scaled to a minute; `nil` if nobody looked a minute ago.
    func lately(created: UInt64, alive: UInt64, at now: MonotonicTime) -> (made: Int, grown: Int)? {
        guard let mark = marks.withLock({ marks in marks.last { now - $0.time >= Self.minute } }) else { return nil }
        let scale = Double(Self.minute) / Double(now - mark.time)
        let made = Double(created &- mark.created) * scale
        let grown = (Double(alive) - Double(mark.alive)) * scale
        return (Int(made.rounded()), Int(grown.rounded()))
    }
}
