import HTTPPool

/// A table with a limited number of rows: the first `cap` keys get rows of their own, later ones share the row
/// `other`.
///
/// A pool refers to its origins and call sites by small numbers, each of which maps to a row by an array access.
/// Rows are never removed, because their counters must not decrease.
struct SeriesTable<Key: Hashable & Sendable, Row: SeriesRow>: Sendable {
    private(set) var rows: [Row] = []
    private let cap: Int
    private var rowOfKey: [Key: Int] = [:]
    private var otherRow: Int?
    private var members: [Member] = []

    /// A number used by a pool: its row, and its share of the row's levels.
    private struct Member: Sendable {
        var row: Int?
        var levels = Row.Levels()
    }

    /// The label of the shared row.
    static var otherLabel: String { "other" }

    init(cap: Int) { self.cap = cap }

    /// Assigns `index` to `key`. Levels left from its previous key are subtracted.
    mutating func introduce(_ key: Key, label: String, as index: Int) {
        if knows(index) { setLevels(Row.Levels(), of: index) }
        while members.count <= index { members.append(Member()) }
        members[index].row = row(of: key, label: label)
    }

    /// Whether `index` is assigned to a key.
    func knows(_ index: Int) -> Bool { index < members.count && members[index].row != nil }

    /// Changes the row of `index`.
    mutating func update(_ index: Int, _ change: (inout Row) -> Void) {
        let row = row(of: index)
        change(&rows[row])
    }

    /// Replaces the levels of `index`.
    mutating func setLevels(_ levels: Row.Levels, of index: Int) {
        let row = row(of: index)
        rows[row].levels.replace(members[index].levels, with: levels)
        members[index].levels = levels
    }

    /// The row of a key, created if the cap permits.
    mutating func row(of key: Key, label: @autoclosure () -> String) -> Int {
        if let row = rowOfKey[key] { return row }
        let label = label()
        let own = rows.count - (otherRow == nil ? 0 : 1)
        // A key with the label `other` would give two rows the same label.
        guard own < cap, label != Self.otherLabel else { return sharedRow() }
        rows.append(Row(label: label))
        rowOfKey[key] = rows.count - 1
        return rows.count - 1
    }

    /// Changes the levels of a row directly, for requests that no member has reported yet.
    mutating func adjust(row: Int, _ change: (inout Row.Levels) -> Void) { change(&rows[row].levels) }

    /// The row of a number; one that was never introduced uses the shared row.
    private mutating func row(of index: Int) -> Int {
        if index < members.count, let row = members[index].row { return row }
        while members.count <= index { members.append(Member()) }
        let row = sharedRow()
        members[index].row = row
        return row
    }

    private mutating func sharedRow() -> Int {
        if let otherRow { return otherRow }
        rows.append(Row(label: Self.otherLabel))
        otherRow = rows.count - 1
        return rows.count - 1
    }
}

/// A row of a ``SeriesTable``.
protocol SeriesRow: Sendable {
    associatedtype Levels: LevelArithmetic
    init(label: String)
    var levels: Levels { get set }
}

/// Levels that are the sum of the shares of several members.
protocol LevelArithmetic: Sendable {
    init()
    /// Subtracts a member's old share and adds the new one.
    mutating func replace(_ old: Self, with new: Self)
}

extension RequestLevels: LevelArithmetic {
    mutating func replace(_ old: Self, with new: Self) {
        queued += new.queued - old.queued
        connecting += new.connecting - old.connecting
        inFlight += new.inFlight - old.inFlight
    }
}

extension ConnectionLevels: LevelArithmetic {
    mutating func replace(_ old: Self, with new: Self) {
        connecting += new.connecting - old.connecting
        active += new.active - old.active
        idle += new.idle - old.idle
    }
}

extension OriginLevels: LevelArithmetic {
    mutating func replace(_ old: Self, with new: Self) {
        connections.replace(old.connections, with: new.connections)
        requests.replace(old.requests, with: new.requests)
    }
}
