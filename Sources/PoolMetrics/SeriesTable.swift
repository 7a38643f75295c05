import HTTPPool

/// A table with a limited number of rows, each of which has series of its own.
///
/// The first `cap` keys get rows of their own; later ones share the row `other`. A row that has had no live level for a
/// while is given up for a new key: what it counted goes to the row `retired`, so that sums over all rows never
/// decrease. A key that shares `other` gets a row of its own only while it has no live level there, because the
/// counters of a row must account for its levels.
///
/// A pool refers to its origins and call sites by small numbers, each of which maps to a row by an array access.
struct SeriesTable<Key: SeriesKey, Row: SeriesRow>: Sendable {
    private(set) var rows: [Row] = []
    /// The sum of the levels of all rows.
    private(set) var total = Row.Levels()
    /// The key of each row; `nil` for a shared row.
    private var keys: [Key?] = []
    private var rowOfKey: [Key: Int] = [:]
    private var members: [Member] = []
    private var otherRow: Int?
    private var retiredRow: Int?
    /// The keys that share `other` and would like a row of their own. The busiest gets the next one.
    private var waiting = FrequentKeys<Key>()
    private var reassigned: [Int] = []
    /// When a row may be given up next.
    private var nextChance = MonotonicTime(nanoseconds: 0)
    private let cap: Int
    /// How long a row must have been without a live level to be given up, in nanoseconds.
    private let patience: UInt64

    /// A number used by a pool: its row, and its share of the row's levels.
    private struct Member: Sendable {
        var key: Key?
        /// -1 if it has no row of its own, or not any more.
        var own = -1
        var levels = Row.Levels()
    }

    /// The labels of the shared rows.
    static var otherLabel: String { "other" }
    static var retiredLabel: String { "retired" }

    /// At most one row is given up in this period, in nanoseconds.
    private static var period: UInt64 { 60_000_000_000 }
    /// After so long, in nanoseconds, it is worth while to look for a row to give up again.
    private static var retryPeriod: UInt64 { 1_000_000_000 }

    init(cap: Int, patience: Duration = .seconds(600)) {
        self.cap = cap
        self.patience = patience.wholeNanoseconds
    }

    // MARK: Members

    /// Assigns `index` to `key`. Levels left from its previous key are subtracted.
    mutating func introduce(_ key: Key, as index: Int, at now: MonotonicTime) {
        if knows(index) { setLevels(Row.Levels(), of: index, at: now) }
        while members.count <= index { members.append(Member()) }
        let row = row(of: key, at: now)
        members[index] = Member(key: key, own: row == otherRow ? -1 : row)
    }

    /// Whether `index` is assigned to a key.
    func knows(_ index: Int) -> Bool { index < members.count && (members[index].own >= 0 || members[index].key != nil) }

    /// The label of the row of `index`.
    func label(of index: Int) -> String {
        guard members.indices.contains(index), members[index].own >= 0 else { return Self.otherLabel }
        return rows[members[index].own].label
    }

    /// Changes the row of `index`.
    ///
    /// - Returns: the row.
    @discardableResult
    mutating func update(_ index: Int, at now: MonotonicTime, _ change: (inout Row) -> Void) -> Int {
        let row = row(of: index, at: now)
        change(&rows[row])
        return row
    }

    /// Replaces the levels of `index`.
    ///
    /// - Returns: its row.
    @discardableResult
    mutating func setLevels(_ levels: Row.Levels, of index: Int, at now: MonotonicTime) -> Int {
        let row = row(of: index, at: now)
        let old = members[index].levels
        members[index].levels = levels
        total.replace(old, with: levels)
        rows[row].replaceLevels(old, with: levels, at: now)
        return row
    }

    /// The row of `index`, for a reader; `nil` if it has none.
    func existingRow(of index: Int) -> Int? {
        guard members.indices.contains(index), members[index].own >= 0 else { return otherRow }
        return members[index].own
    }

    /// Whether a row belongs to one key.
    func hasKey(_ row: Int) -> Bool { keys[row] != nil }

    /// Whether a row was given to another key.
    var hasReassigned: Bool { !reassigned.isEmpty }

    /// Takes the rows that were given to another key since the last call.
    mutating func takeReassigned() -> [Int] {
        defer { reassigned.removeAll() }
        return reassigned
    }

    /// The row of `index`; one that was never introduced uses the shared row.
    @inline(__always)
    private mutating func row(of index: Int, at now: MonotonicTime) -> Int {
        if index < members.count, members[index].own >= 0 { return members[index].own }
        return findRow(of: index, at: now)
    }

    private mutating func findRow(of index: Int, at now: MonotonicTime) -> Int {
        while members.count <= index { members.append(Member()) }
        guard members[index].levels == Row.Levels(), let key = members[index].key else { return sharedRow(at: now) }
        let row = row(of: key, at: now)
        if row != otherRow { members[index].own = row }
        return row
    }

    // MARK: Rows

    /// The row of a key, added or taken over from another key if possible.
    mutating func row(of key: Key, at now: MonotonicTime) -> Int {
        if let row = rowOfKey[key] { return row }
        // A key with the label of a shared row would give two rows the same label.
        let label = key.seriesLabel
        guard label != Self.otherLabel, label != Self.retiredLabel else { return sharedRow(at: now) }
        let own = rows.count - (otherRow == nil ? 0 : 1) - (retiredRow == nil ? 0 : 1)
        if own < cap {
            rowOfKey[key] = rows.count
            return add(label, key, at: now)
        }
        waiting.note(key)
        guard nextChance <= now, waiting.isMostFrequent(key) else { return sharedRow(at: now) }
        guard let row = leastUseful(at: now) else {
            nextChance = now + Self.retryPeriod
            return sharedRow(at: now)
        }
        nextChance = now + Self.period
        waiting.removeAll()
        giveUp(row, at: now)
        rows[row] = Row(label: label)
        rows[row].replaceLevels(Row.Levels(), with: Row.Levels(), at: now)
        keys[row] = key
        rowOfKey[key] = row
        reassigned.append(row)
        return row
    }

    /// The row that a key has, or that it gets while there is room for one; otherwise the shared row. Unlike
    /// ``row(of:at:)`` it gives up no row, so that a copy of the table shows nothing that is not to stay.
    mutating func provisionalRow(of key: Key, at now: MonotonicTime) -> Int {
        let own = rows.count - (otherRow == nil ? 0 : 1) - (retiredRow == nil ? 0 : 1)
        return rowOfKey[key] ?? (own < cap ? row(of: key, at: now) : sharedRow(at: now))
    }

    /// Changes a row directly, for requests that no member has reported yet.
    mutating func adjust(row: Int, _ change: (inout Row) -> Void) { change(&rows[row]) }

    /// Adds the time since the last change to the integrals of every row.
    mutating func advance(to now: MonotonicTime) {
        for index in rows.indices { rows[index].advance(to: now) }
    }

    /// The row that may be given up, if any: one that never had a connection, else the one without live levels for the
    /// longest time.
    private func leastUseful(at now: MonotonicTime) -> Int? {
        rows.indices.filter { row in
            keys[row] != nil && rows[row].levels == Row.Levels() && now - rows[row].changed >= patience
        }
        .min { one, other in
            let (had, otherHad) = (rows[one].hasHadConnection, rows[other].hasHadConnection)
            return had == otherHad ? rows[one].changed < rows[other].changed : !had
        }
    }

    private mutating func giveUp(_ row: Int, at now: MonotonicTime) {
        if let key = keys[row] { rowOfKey[key] = nil }
        for index in members.indices where members[index].own == row { members[index].own = -1 }
        let retired = retiredRow ?? add(Self.retiredLabel, nil, at: now)
        retiredRow = retired
        rows[row].advance(to: now)
        rows[retired].absorb(rows[row])
    }

    private mutating func sharedRow(at now: MonotonicTime) -> Int {
        if let otherRow { return otherRow }
        let row = add(Self.otherLabel, nil, at: now)
        otherRow = row
        return row
    }

    private mutating func add(_ label: String, _ key: Key?, at now: MonotonicTime) -> Int {
        rows.append(Row(label: label))
        rows[rows.count - 1].replaceLevels(Row.Levels(), with: Row.Levels(), at: now)
        keys.append(key)
        return rows.count - 1
    }
}

/// What a ``SeriesTable`` has rows for.
protocol SeriesKey: Hashable, Sendable {
    /// The value of the label.
    var seriesLabel: String { get }
}

/// A row of a ``SeriesTable``.
protocol SeriesRow: Sendable {
    associatedtype Levels: LevelArithmetic
    init(label: String)
    var label: String { get }
    var levels: Levels { get }
    /// When its levels were last replaced.
    var changed: MonotonicTime { get }
    /// Whether it has ever been of use.
    var hasHadConnection: Bool { get }
    /// Adds the time since the last change to the integrals.
    mutating func advance(to now: MonotonicTime)
    /// Replaces a member's share of the levels, after adding the time for which the old levels lasted to the integrals.
    mutating func replaceLevels(_ old: Levels, with new: Levels, at now: MonotonicTime)
    /// Adds what another row has counted.
    mutating func absorb(_ row: Self)
}

/// Levels that are the sum of the shares of several members.
protocol LevelArithmetic: Sendable, Equatable {
    init()
    /// Subtracts a member's old share and adds the new one.
    mutating func replace(_ old: Self, with new: Self)
}

extension Origin: SeriesKey {
    var seriesLabel: String { description }
}

extension CallSite: SeriesKey {
    var seriesLabel: String { name }
}

extension RequestLevels: LevelArithmetic {
    mutating func replace(_ old: Self, with new: Self) {
        queued &+= new.queued &- old.queued
        connecting &+= new.connecting &- old.connecting
        inFlight &+= new.inFlight &- old.inFlight
    }
}

extension ConnectionLevels: LevelArithmetic {
    mutating func replace(_ old: Self, with new: Self) {
        connecting &+= new.connecting &- old.connecting
        active &+= new.active &- old.active
        idle &+= new.idle &- old.idle
    }
}

extension OriginLevels: LevelArithmetic {
    mutating func replace(_ old: Self, with new: Self) {
        connections.replace(old.connections, with: new.connections)
        requests.replace(old.requests, with: new.requests)
    }
}
