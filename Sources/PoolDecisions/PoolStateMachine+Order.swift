import HTTPPool
import HeapModule

extension ConnectionLevels {
    /// Connections that do something for their origin.
    fileprivate var held: Int { connecting + active }
}

/// Whose turn it is when a connection becomes free: rule 5.
///
/// The waiting origins are in a heap by what they hold and since when they have gone without. An origin whose place
/// changes is entered anew, and the old entry is dropped when its turn comes: so whatever happens to one origin costs the
/// same however many others wait.
extension PoolStateMachine {
    /// The place of a waiting origin; the least is served first.
    struct Rank: Hashable, Comparable {
        /// How many connections the origin holds: connecting and active ones. Of no account where the order is `fifo`.
        let held: Int
        /// A moment of the pool's own count, which no other origin has.
        let since: UInt64
        let origin: Int

        static func < (a: Self, b: Self) -> Bool { (a.held, a.since) < (b.held, b.since) }
    }

    /// A request was submitted, or an origin was given a connection: the count by which one came before the other.
    mutating func nextMoment() -> UInt64 {
        moments += 1
        return moments
    }

    /// Puts the origin where it belongs among those that wait for a connection, or takes it from there.
    mutating func rerank(_ origin: Int) {
        guard origins[origin].mayHaveRank else { return }
        let rank = rank(of: origin)
        guard rank != origins[origin].rank else { return }
        if origins[origin].rank == nil { rankedCount += 1 } else if rank == nil { rankedCount -= 1 }
        origins[origin].rank = rank
        guard let rank else { return }
        line.insert(rank)
        // Clearing when outdated entries are the greater part costs each entry a constant.
        if line.count > 2 * rankedCount + 64 { line = Heap(Set(line.unordered.filter(isLive))) }
    }

    /// `nil` where nobody of the origin waits, or where another connection would not help: at the origin's own limit, and
    /// while its peer refuses everything.
    private func rank(of origin: Int) -> Rank? {
        guard let first = origins[origin].queue.first else { return nil }
        if origins[origin].idle.isEmpty {
            guard origins[origin].levels.connections.total < rules.maxConnectionsPerOrigin, mayOpen(origin) else {
                return nil
            }
        }
        let submitted = requests[first].moment
        switch rules.queueOrder {
        case .fifo: return Rank(held: 0, since: submitted, origin: origin)
        case .fair:
            let held = origins[origin].levels.connections.held
            return Rank(held: held, since: max(submitted, origins[origin].lastGiven), origin: origin)
        }
    }

    private func isLive(_ rank: Rank) -> Bool { origins.contains(rank.origin) && origins[rank.origin].rank == rank }

    /// Serves the queue as far as connections go.
    mutating func serve(at now: MonotonicTime) {
        while true {
            if let origin = offering.popLast() {
                origins[origin].isOffering = false
                fillRoom(of: origin, at: now)
            } else if let origin = claims.popLast() {
                takeLeftSlot(origin, at: now)
            } else if !serveNext(at: now), offering.isEmpty, claims.isEmpty {
                break
            }
        }
        if !freed.isEmpty { freed.removeAll(keepingCapacity: true) }
    }

    /// - Returns: whether it is worth while to look for another.
    private mutating func serveNext(at now: MonotonicTime) -> Bool {
        guard let origin = nextInLine(), let first = origins[origin].queue.first else { return false }
        let rank = origins[origin].rank
        switch place(first, at: now) {
        case nil: removeFromQueue(first)
        case .limit(.connections): return false
        case .limit(.connectionsPerOrigin), .refusals:
            // It waits for something else, and is in nobody's way.
            guard origins[origin].rank == rank else { break }
            origins[origin].rank = nil
            rankedCount -= 1
        }
        return true
    }

    private mutating func nextInLine() -> Int? {
        while let first = line.min, !isLive(first) { line.removeMin() }
        guard let first = line.min else { return nil }
        // Among equals that hold some it stays where it is, which saves a cold connection.
        if first.held > 0, let origin = freed.last, origins.contains(origin), origins[origin].rank?.held == first.held {
            return origin
        }
        return first.origin
    }

    // MARK: What a connection leaves

    /// A connection of the origin is gone, and requests lost their place on it: its slot is theirs, before all who wait.
    private mutating func takeLeftSlot(_ origin: Int, at now: MonotonicTime) {
        // They are in front of those who never had a place.
        guard rules.queueOrder == .fair, origins.contains(origin), let first = origins[origin].queue.first,
            requests[first].isReturned, place(first, at: now) == nil
        else { return }
        removeFromQueue(first)
    }
}
