/// The idle connections, by how long they have been idle: over all origins, and for each.
struct IdleConnections {
    /// The longest idle first.
    private var all = IndexList()
    private var allLinks = IndexLinks()
    /// By origin, the most recently used last.
    private var ofOrigin = IndexLists()

    var count: Int { all.count }
    var isEmpty: Bool { all.isEmpty }
    /// The one that has been idle for the longest.
    var longestIdle: SlotID? { all.first }

    func isEmpty(of origin: Int) -> Bool { ofOrigin.isEmpty(origin) }
    func longestIdle(of origin: Int) -> SlotID? { ofOrigin.first(of: origin) }
    func latestUsed(of origin: Int) -> SlotID? { ofOrigin.last(of: origin) }

    /// The connection is idle from now on.
    mutating func append(_ slot: SlotID, of origin: Int) {
        allLinks.append(slot, to: &all)
        ofOrigin.append(slot, to: origin)
    }

    mutating func remove(_ slot: SlotID, of origin: Int) {
        allLinks.remove(slot, from: &all)
        ofOrigin.remove(slot, from: origin)
    }
}
