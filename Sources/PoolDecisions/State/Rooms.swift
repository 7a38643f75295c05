/// Connections with room for another request (HTTP/2), for each origin: first those that may turn out to carry several
/// requests at once, then those that do.
struct Rooms {
    /// By origin.
    private var slots = IndexLists()
    /// By slot.
    private var isListed: [Bool] = []

    func contains(_ slot: SlotID) -> Bool { slot < isListed.count && isListed[slot] }

    /// The connection of the origin that the next request shares.
    func last(of origin: Int) -> SlotID? { slots.last(of: origin) }

    /// `isProven`: it is known that the connection carries several requests at once.
    mutating func add(_ slot: SlotID, of origin: Int, isProven: Bool) {
        while isListed.count <= slot { isListed.append(false) }
        isListed[slot] = true
        if isProven { slots.append(slot, to: origin) } else { slots.insert(slot, into: origin) { _ in true } }
    }

    /// Removes the slot if it is listed.
    mutating func remove(_ slot: SlotID, of origin: Int) {
        guard contains(slot) else { return }
        isListed[slot] = false
        slots.remove(slot, from: origin)
    }
}
