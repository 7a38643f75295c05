import HeapModule

/// The levels of a ledger's origins, and the numbers by which turns refer to them.
struct LedgerOrigins: Sendable {
    private struct Row {
        /// The last origin with this number, if the number is free.
        var origin: Origin
        var levels = OriginLevels()
        var isTouched = false
    }
    private var rows: [Row] = []
    private var indices: [Origin: Int] = [:]
    private var free: [Int] = []
    private var touched: [Int] = []
    private var introduced: [Int] = []

    var isTouched: Bool { !touched.isEmpty }

    /// The number of an origin, assigned if it has none.
    mutating func id(of origin: Origin) -> OriginID { OriginID(index: Int32(index(of: origin))) }

    mutating func change(_ origin: Origin, _ change: (inout OriginLevels) -> Void) {
        change(&rows[index(of: origin)].levels)
    }

    /// Returns and clears the origins introduced and the levels changed by the turn. The number of an origin whose
    /// levels are all zero is released.
    mutating func takeTouched() -> (introduced: [PoolTurn.NewOrigin], levels: [PoolTurn.ChangedOrigin]) {
        let new = introduced.map { PoolTurn.NewOrigin(OriginID(index: Int32($0)), rows[$0].origin) }
        let levels = touched.map { PoolTurn.ChangedOrigin(OriginID(index: Int32($0)), rows[$0].levels) }
        for index in touched {
            rows[index].isTouched = false
            guard rows[index].levels == OriginLevels() else { continue }
            indices[rows[index].origin] = nil
            free.append(index)
        }
        introduced.removeAll(keepingCapacity: true)
        touched.removeAll(keepingCapacity: true)
        return (new, levels)
    }

    private mutating func index(of origin: Origin) -> Int {
        let index = indices[origin] ?? add(origin)
        if !rows[index].isTouched {
            rows[index].isTouched = true
            touched.append(index)
        }
        return index
    }

    private mutating func add(_ origin: Origin) -> Int {
        let index = free.popLast() ?? rows.count
        if index == rows.count { rows.append(Row(origin: origin)) } else { rows[index] = Row(origin: origin) }
        indices[origin] = index
        introduced.append(index)
        return index
    }
}

/// The levels of a ledger's call sites.
struct LedgerSites: Sendable {
    private var levels: [CallSite: RequestLevels] = [:]
    private var touched: Set<CallSite> = []

    mutating func change(_ site: CallSite, _ change: (inout RequestLevels) -> Void) {
        change(&levels[site, default: RequestLevels()])
        touched.insert(site)
    }

    mutating func takeTouched() -> [PoolTurn.ChangedSite] {
        let changed = touched.map { PoolTurn.ChangedSite($0, levels[$0] ?? RequestLevels()) }
        for change in changed where change.levels == RequestLevels() { levels[change.site] = nil }
        touched.removeAll(keepingCapacity: true)
        return changed
    }
}

/// Waiting requests, ordered by the start of their wait. Entries of requests that no longer wait are removed when
/// they reach the front.
struct LedgerQueue: Sendable {
    private struct Entry: Comparable, Sendable {
        let since: MonotonicTime
        let number: RequestNumber

        static func < (a: Self, b: Self) -> Bool { (a.since, a.number) < (b.since, b.number) }
    }
    private var heap = Heap<Entry>()

    mutating func append(_ number: RequestNumber, since: MonotonicTime) {
        heap.insert(Entry(since: since, number: number))
    }

    /// When the oldest request that still waits started waiting.
    mutating func oldest(_ isWaiting: (RequestNumber) -> Bool) -> MonotonicTime? {
        while let first = heap.min {
            if isWaiting(first.number) { return first.since }
            heap.removeMin()
        }
        return nil
    }
}
