import HTTPPool
import HeapModule

/// The requests that wait for a connection: a queue for each origin, in the order of submission.
///
/// A new request waits behind all others of its origin. One that had a place on a connection and lost it returns to where
/// its submission puts it: before all that never had a place, because whoever has a place was submitted before them.
struct Waiting {
    private struct Entry {
        var number: UInt64 = 0
        var submitted = MonotonicTime.never
        var isWaiting = false
        /// It had a place and lost it.
        var hasReturned = false
    }

    /// A returned request; the number tells whether the entry still means the same one.
    private struct Returned: Hashable, Comparable {
        let submitted: MonotonicTime
        let request: RequestID
        let number: UInt64

        static func < (a: Self, b: Self) -> Bool { a.submitted < b.submitted }
    }

    /// By request.
    private var entries: [Entry] = []
    /// By origin.
    private var queues = IndexLists()
    /// Those that never had a place, in the order of submission over all origins.
    private var new = IndexList()
    private var newLinks = IndexLinks()
    /// The others by submission, with outdated entries.
    private var returned = Heap<Returned>()
    private var returnedCount = 0
    private var deadlines = Alarms()

    // MARK: Who waits

    /// How many requests wait, over all origins.
    var count: Int { new.count + returnedCount }

    func contains(_ id: RequestID) -> Bool { id < entries.count && entries[id].isWaiting }

    /// Whether the request waits because it lost its place.
    func hasReturned(_ id: RequestID) -> Bool { contains(id) && entries[id].hasReturned }

    /// The request of the origin that is served next.
    func first(of origin: Int) -> RequestID? { queues.first(of: origin) }
    func isEmpty(of origin: Int) -> Bool { queues.isEmpty(origin) }
    func count(of origin: Int) -> Int { queues.count(of: origin) }

    /// When the oldest of the waiting requests was submitted.
    mutating func oldestSubmission() -> MonotonicTime? {
        while let first = returned.min, !isCurrent(first) { returned.removeMin() }
        let oldestNew = new.first.map { entries[$0].submitted }
        guard let first = returned.min else { return oldestNew }
        return min(first.submitted, oldestNew ?? first.submitted)
    }

    private func isCurrent(_ entry: Returned) -> Bool {
        contains(entry.request) && entries[entry.request].number == entry.number
    }

    // MARK: In and out

    /// Adds a new request.
    mutating func append(_ id: RequestID, of origin: Int, number: UInt64, submitted: MonotonicTime) {
        note(id, number, submitted, hasReturned: false)
        queues.append(id, to: origin)
        newLinks.append(id, to: &new)
    }

    /// Adds a request that lost its place.
    mutating func putBack(_ id: RequestID, of origin: Int, number: UInt64, submitted: MonotonicTime) {
        note(id, number, submitted, hasReturned: true)
        queues.insert(id, into: origin) { [entries] in entries[$0].number > number }
        returnedCount += 1
        returned.insert(Returned(submitted: submitted, request: id, number: number))
        if returned.count > 2 * returnedCount + 64 { returned = Heap(Set(returned.unordered.filter(isCurrent))) }
    }

    private mutating func note(_ id: RequestID, _ number: UInt64, _ submitted: MonotonicTime, hasReturned: Bool) {
        while entries.count <= id { entries.append(Entry()) }
        entries[id] = Entry(number: number, submitted: submitted, isWaiting: true, hasReturned: hasReturned)
    }

    /// Removes a request that waits.
    mutating func remove(_ id: RequestID, of origin: Int) {
        queues.remove(id, from: origin)
        if entries[id].hasReturned { returnedCount -= 1 } else { newLinks.remove(id, from: &new) }
        entries[id].isWaiting = false
        deadlines.cancel(id)
    }

    // MARK: For how long

    /// The request waits until `deadline` at the longest.
    mutating func setDeadline(of id: RequestID, at deadline: MonotonicTime) {
        if deadline < .never { deadlines.set(id, at: deadline) }
    }

    mutating func firstDeadline() -> MonotonicTime { deadlines.first() }

    /// A request whose deadline has passed. It waits until it is removed.
    mutating func takeOverdue(at now: MonotonicTime) -> RequestID? { deadlines.takeDue(at: now) }
}
