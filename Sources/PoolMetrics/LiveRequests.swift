import HTTPPool

/// The requests of a pool that are not finished, in the order in which they began to wait or to hold a connection.
///
/// Requests are kept under the places that the pool gave them, in linked lists, so an event costs the same however many
/// there are. A scrape looks at the oldest only and copies no table.
struct LiveRequests: Sendable {
    enum Stage: Int, Sendable {
        case queued, connecting, held

        fileprivate var list: Int { self == .held ? 1 : 0 }

        /// The phase; `nil` for a lease, of which only the pool knows it.
        var phase: RequestPhase? {
            switch self {
            case .queued: .queued
            case .connecting: .connecting
            case .held: nil
            }
        }
    }

    struct Entry: Sendable {
        fileprivate(set) var key = RequestKey(number: RequestNumber(0), index: -1)
        fileprivate(set) var origin = OriginID(index: -1)
        fileprivate(set) var site = CallSite.unattributed
        fileprivate(set) var connection: ConnectionNumber?
        /// `nil` if the place is free.
        fileprivate(set) var stage: Stage?
        /// When the present acquisition began; for a lease, when it got its connection.
        fileprivate(set) var since = MonotonicTime(nanoseconds: 0)
        /// Whether the head of its response has arrived.
        fileprivate(set) var hasResponded = false
        fileprivate var previous: Int32 = -1
        fileprivate var next: Int32 = -1
    }

    private struct List: Sendable {
        var first: Int32 = -1
        var last: Int32 = -1
    }

    private var entries: [Entry] = []
    /// Those that wait for a connection, and those that hold one.
    private var lists = InlineArray<2, List>(repeating: List())

    // MARK: Events

    /// Adds an event.
    ///
    /// - Returns: when the present acquisition began, if this is the first event of it.
    @discardableResult
    mutating func add(_ event: borrowing PoolEvent) -> MonotonicTime? {
        guard let request = event.request, request.index >= 0 else { return nil }
        let isNew = !has(request)
        switch event.kind {
        case .queued(_, let waited), .connecting(let waited), .acquired(_, let waited, _),
            .acquireFailed(_, let waited, _):
            change(request, event, waited)
            return isNew ? MonotonicTime(nanoseconds: event.time.nanoseconds &- waited) : nil
        default:
            change(request, event, 0)
            return nil
        }
    }

    private func has(_ request: RequestKey) -> Bool {
        let index = Int(request.index)
        return index < entries.count && entries[index].stage != nil && entries[index].key == request
    }

    private mutating func change(_ request: RequestKey, _ event: borrowing PoolEvent, _ waited: UInt64) {
        switch event.kind {
        case .queued: wait(.queued, request, event, waited)
        case .connecting: wait(.connecting, request, event, waited)
        case .acquired:
            remove(Int(request.index))
            append(.held, request, event, since: event.time)
        case .responded: noteResponse(to: request)
        case .acquireFailed, .leaseEnded: remove(Int(request.index))
        default: break
        }
    }

    private mutating func noteResponse(to request: RequestKey) {
        let index = Int(request.index)
        if index < entries.count, entries[index].key == request { entries[index].hasResponded = true }
    }

    private mutating func wait(_ stage: Stage, _ request: RequestKey, _ event: borrowing PoolEvent, _ waited: UInt64) {
        let index = Int(request.index)
        if index < entries.count, entries[index].stage != nil, entries[index].key == request {
            entries[index].stage = stage
        } else {
            remove(index)
            append(stage, request, event, since: MonotonicTime(nanoseconds: event.time.nanoseconds &- waited))
        }
    }

    private mutating func append(
        _ stage: Stage,
        _ request: RequestKey,
        _ event: borrowing PoolEvent,
        since: MonotonicTime
    ) {
        let index = Int(request.index)
        while entries.count <= index { entries.append(Entry()) }
        let last = lists[stage.list].last
        entries[index] = Entry(
            key: request,
            origin: event.origin,
            site: event.site,
            connection: event.connection,
            stage: stage,
            since: since,
            previous: last
        )
        if last >= 0 { entries[Int(last)].next = request.index } else { lists[stage.list].first = request.index }
        lists[stage.list].last = request.index
    }

    private mutating func remove(_ index: Int) {
        guard index < entries.count, let stage = entries[index].stage else { return }
        let (previous, next) = (entries[index].previous, entries[index].next)
        if previous >= 0 { entries[Int(previous)].next = next } else { lists[stage.list].first = next }
        if next >= 0 { entries[Int(next)].previous = previous } else { lists[stage.list].last = previous }
        entries[index].stage = nil
    }

    // MARK: Reading

    /// When the oldest lease began.
    var oldestLease: MonotonicTime? { first(of: .held)?.since }

    /// The ages of the requests without a response by origin, the oldest first, among the `count` oldest leases.
    func agesWithoutResponse(_ count: Int, at now: MonotonicTime) -> [OriginID: [UInt64]] {
        var ages: [OriginID: [UInt64]] = [:]
        for lease in oldest(.held, count, while: { _ in true }) where !lease.hasResponded {
            ages[lease.origin, default: []].append(now - lease.since)
        }
        return ages
    }

    /// The leases that began at `limit` or earlier.
    func leases(until limit: MonotonicTime) -> [Entry] { oldest(.held, .max) { $0.since <= limit } }

    /// The oldest leases, then the oldest of those that wait: `count` of each at most.
    func oldest(_ count: Int) -> [Entry] {
        oldest(.held, count) { _ in true } + oldest(.queued, count) { _ in true }
    }

    private func oldest(_ stage: Stage, _ count: Int, while condition: (Entry) -> Bool) -> [Entry] {
        var found: [Entry] = []
        var next = lists[stage.list].first
        while next >= 0, found.count < count, condition(entries[Int(next)]) {
            found.append(entries[Int(next)])
            next = entries[Int(next)].next
        }
        return found
    }

    private func first(of stage: Stage) -> Entry? {
        let first = lists[stage.list].first
        return first < 0 ? nil : entries[Int(first)]
    }
}
