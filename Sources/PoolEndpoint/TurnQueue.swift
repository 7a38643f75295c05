/// The connections whose requests wait for a response, and which of them get one next.
///
/// A peer that asks again right after a response waits behind all others, so that however fast it asks, others are served
/// between its requests.
struct TurnQueue: Sendable {
    typealias ID = ConnectionTable.ID

    private var first: [ID] = []
    private var repeated: [ID] = []
    /// The most connections of those that ask again that one turn serves: each may take a whole response to write.
    private let mostRepeated: Int

    init(mostRepeated: Int) { self.mostRepeated = mostRepeated }

    /// Whether a connection waits that has not asked right before.
    var hasFirst: Bool { !first.isEmpty }
    var hasRepeated: Bool { !repeated.isEmpty }

    mutating func add(_ id: ID, isRepeated: Bool) {
        if isRepeated { repeated.append(id) } else { first.append(id) }
    }

    /// Takes all that have not asked right before.
    mutating func takeFirst() -> [ID] {
        defer { first.removeAll(keepingCapacity: true) }
        return first
    }

    /// Takes those of the others that have waited for longest.
    mutating func takeRepeated() -> [ID] {
        defer { repeated.removeFirst(min(mostRepeated, repeated.count)) }
        return Array(repeated.prefix(mostRepeated))
    }
}
