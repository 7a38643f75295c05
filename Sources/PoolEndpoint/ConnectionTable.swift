import NIOCore

/// The open connections: which of them gives way to a new one when as many are open as may be, and which are overdue.
struct ConnectionTable: Sendable {
    typealias ID = UInt64

    /// What a connection is about. The first case gives way first; within a case, the connection that has been in it for
    /// longest. Single bytes of a request change nothing, so a peer gains no time by sending slowly.
    enum Phase: Int, Sendable, Comparable {
        /// Between two requests.
        case kept
        /// From its opening, or the first byte of a request, to the end of the request's head.
        case requesting
        /// Until its response is on its way.
        case responding

        static func < (a: Phase, b: Phase) -> Bool { a.rawValue < b.rawValue }
    }

    private struct Entry {
        var phase: Phase
        /// The position in the order in which connections changed their phase.
        var since: UInt64
        var deadline: NIODeadline
    }

    private let limit: Int
    private var entries: [ID: Entry] = [:]
    private var changes: UInt64 = 0

    init(limit: Int) { self.limit = limit }

    var count: Int { entries.count }

    /// The earliest deadline.
    var nextDeadline: NIODeadline? { entries.values.lazy.map(\.deadline).min() }

    /// Adds a connection.
    ///
    /// - Returns: the connection that gives way; it is no longer in the table.
    mutating func open(_ id: ID, deadline: NIODeadline) -> ID? {
        var loser: ID?
        if entries.count >= limit {
            loser = entries.min { ($0.value.phase, $0.value.since) < ($1.value.phase, $1.value.since) }?.key
            if let loser { entries[loser] = nil }
        }
        changes += 1
        entries[id] = Entry(phase: .requesting, since: changes, deadline: deadline)
        return loser
    }

    /// Changes the phase of a connection. Without a deadline, the one that it has holds.
    mutating func move(_ id: ID, to phase: Phase, deadline: NIODeadline? = nil) {
        guard var entry = entries[id] else { return }
        if entry.phase != phase {
            changes += 1
            (entry.phase, entry.since) = (phase, changes)
        }
        if let deadline { entry.deadline = deadline }
        entries[id] = entry
    }

    mutating func close(_ id: ID) { entries[id] = nil }

    /// Removes the connections whose deadline has passed.
    mutating func expire(at now: NIODeadline) -> [ID] {
        let overdue = entries.filter { $0.value.deadline <= now }.keys.sorted()
        for id in overdue { entries[id] = nil }
        return overdue
    }
}
