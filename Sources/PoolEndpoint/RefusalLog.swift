import NIOCore
import PoolMetrics

/// Which refusals are logged: the first of each reason, then at most one line a minute that counts the others.
struct RefusalLog: Sendable {
    private struct Entry {
        var logged: NIODeadline
        var unlogged = 0
    }

    private let interval: TimeAmount
    private var entries: [EndpointReading.Refusal: Entry] = [:]

    init(interval: TimeAmount = .minutes(1)) { self.interval = interval }

    /// Counts a refusal.
    ///
    /// - Returns: how many the line to be logged now stands for; `nil` if none is due.
    mutating func count(_ refusal: EndpointReading.Refusal, at now: NIODeadline) -> Int? {
        guard let entry = entries[refusal], now < entry.logged + interval else {
            let count = (entries[refusal]?.unlogged ?? 0) + 1
            entries[refusal] = Entry(logged: now)
            return count
        }
        entries[refusal]?.unlogged += 1
        return nil
    }
}
