import HTTPPool
import HeapModule

/// The waiting origins in the order in which they are given connections: rule 5.
///
/// An origin whose rank changes is entered anew, and its old entry is dropped when its turn comes: so whatever happens to
/// one origin costs the same however many others wait. Outdated entries are cleared away when they are the greater part.
struct ServingOrder {
    /// The rank of a waiting origin; the least is served first.
    struct Rank: Hashable, Comparable {
        /// How many connections the origin holds: connecting and active ones. 0 where the order is `fifo`.
        let held: Int
        /// A count that no other origin has: see ``ServingOrder/nextCount()``.
        let since: UInt64
        let origin: Int

        static func < (a: Self, b: Self) -> Bool { (a.held, a.since) < (b.held, b.since) }
    }

    private var heap = Heap<Rank>()
    /// By origin; `nil` for one that does not wait, or that a connection would not help.
    private var ranks: [Rank?] = []
    /// How many origins have a rank.
    private var count = 0
    /// Whether no origin has a rank.
    var isEmpty: Bool { count == 0 }
    private var lastCount: UInt64 = 0
    /// By origin: the count when it was last given a connection.
    private var given: [UInt64] = []

    /// Counts submissions and connections that are given, so that of any two one came first.
    mutating func nextCount() -> UInt64 {
        lastCount += 1
        return lastCount
    }

    /// An origin is known under this number from now on.
    mutating func add(_ origin: Int) {
        while ranks.count <= origin {
            ranks.append(nil)
            given.append(0)
        }
        given[origin] = 0
    }

    /// The count when the origin was last given a connection; 0 if it never was.
    func lastGiven(to origin: Int) -> UInt64 { given[origin] }

    mutating func noteGiven(to origin: Int) { given[origin] = nextCount() }

    func rank(of origin: Int) -> Rank? { ranks[origin] }

    mutating func setRank(_ rank: Rank?, of origin: Int) {
        guard rank != ranks[origin] else { return }
        if ranks[origin] == nil { count += 1 } else if rank == nil { count -= 1 }
        ranks[origin] = rank
        guard let rank else { return }
        heap.insert(rank)
        if heap.count > 2 * count + 64 { heap = Heap(Set(heap.unordered.filter(isCurrent))) }
    }

    /// The rank that is served first.
    mutating func first() -> Rank? {
        while let first = heap.min {
            if isCurrent(first) { return first }
            heap.removeMin()
        }
        return nil
    }

    private func isCurrent(_ rank: Rank) -> Bool { ranks[rank.origin] == rank }
}
