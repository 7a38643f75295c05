import HTTPPool

/// Rows of numbers under a cap: the first so many keys get a row of their own, all later ones share the row `other`.
///
/// A pool speaks of its origins and call sites by small numbers. The table turns such a number into a row with one look
/// into an array. A row stays for ever, since its counters must not fall.
struct SeriesTable<Key: Hashable & Sendable, Row: SeriesRow>: Sendable {
    private(set) var rows: [Row] = []
    private let cap: Int
    private var rowOfKey: [Key: Int] = [:]
    private var otherRow: Int?
    private var members: [Member] = []

    /// A number that a pool uses: the row that it counts in, and its share of the row's levels.
    private struct Member: Sendable {
        var row: Int?
        var levels = Row.Levels()
    }

    /// The label of the row that is shared.
    static var otherLabel: String { "other" }

    init(cap: Int) { self.cap = cap }

    /// From now on `index` speaks of `key`. What was left of its former levels is taken back.
    mutating func introduce(_ key: Key, label: String, as index: Int) {
        if knows(index) { setLevels(Row.Levels(), of: index) }
        while members.count <= index { members.append(Member()) }
        members[index].row = row(of: key, label: label)
    }

    /// Whether `index` speaks of anything yet.
    func knows(_ index: Int) -> Bool { index < members.count && members[index].row != nil }

    /// Changes the row in which `index` counts.
    mutating func update(_ index: Int, _ change: (inout Row) -> Void) {
        let row = row(of: index)
        change(&rows[row])
    }

    /// Puts new levels in place of those that `index` had.
    mutating func setLevels(_ levels: Row.Levels, of index: Int) {
        let row = row(of: index)
        rows[row].levels.replace(members[index].levels, with: levels)
        members[index].levels = levels
    }

    /// The row of a key; it is made where there is none and the cap allows it.
    mutating func row(of key: Key, label: @autoclosure () -> String) -> Int {
        if let row = rowOfKey[key] { return row }
        let label = label()
        let own = rows.count - (otherRow == nil ? 0 : 1)
        // A name that equals the shared label would make two rows of the same label.
        guard own < cap, label != Self.otherLabel else { return sharedRow() }
        rows.append(Row(label: label))
        rowOfKey[key] = rows.count - 1
        return rows.count - 1
    }

    /// Changes the levels of a row by hand, for what no member has told of yet.
    mutating func adjust(row: Int, _ change: (inout Row.Levels) -> Void) { change(&rows[row].levels) }

    /// A number that was never introduced counts in the shared row.
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

/// Levels of which several members of a row hold a share each.
protocol LevelArithmetic: Sendable {
    init()
    /// Takes one member's old share out and puts the new one in.
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
