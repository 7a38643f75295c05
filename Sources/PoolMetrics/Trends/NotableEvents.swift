import HTTPPool

/// The last notable events of a pool.
///
/// Bounded. An event like one that happened less than ten seconds ago, of the same origin, is counted with it. Each kind has a
/// share of the places, so that a storm of one kind does not displace the others.
struct NotableEvents: Sendable {
    /// Events that are kept.
    static let capacity = 500
    /// Events of one kind that are kept.
    static let share = 100
    /// The time in which equal events are one, in nanoseconds.
    static let period: UInt64 = 10_000_000_000

    /// In the order in which they first happened.
    private(set) var events: [NotableEvent] = []
    private var lastNumber: UInt64 = 0
    private var counts = InlineArray<8, Int>(repeating: 0)

    /// The number of the last event; 0 before the first.
    var last: UInt64 { lastNumber }

    mutating func note(_ kind: NotableEvent.Kind, _ origin: String? = nil, at now: MonotonicTime, words: String? = nil)
    {
        if let index = recent(kind, origin, at: now) {
            events[index].last = now
            events[index].count += 1
            if let words { events[index].words = words }
            return
        }
        makeRoom(for: kind.group)
        lastNumber += 1
        counts[kind.group] += 1
        events.append(NotableEvent(number: lastNumber, kind: kind, origin: origin, at: now, words: words))
    }

    private func recent(_ kind: NotableEvent.Kind, _ origin: String?, at now: MonotonicTime) -> Int? {
        for index in events.indices.reversed() {
            guard now - events[index].first < Self.period else { return nil }
            guard events[index].kind.group == kind.group, events[index].origin == origin else { continue }
            // After a different one of its kind, it is another event: a reload that succeeds after one that failed.
            if events[index].kind == kind { return index }
            if !kind.isRepetitive { return nil }
        }
        return nil
    }

    /// Removes the oldest event of the group, if that has its share, or of the largest one.
    private mutating func makeRoom(for group: Int) {
        let isGroupFull = counts[group] >= Self.share
        guard isGroupFull || events.count >= Self.capacity else { return }
        let group = isGroupFull ? group : counts.indices.max { counts[$0] < counts[$1] } ?? group
        guard let index = events.firstIndex(where: { $0.kind.group == group }) else { return }
        counts[group] -= 1
        events.remove(at: index)
    }
}
