import PoolDecisions

/// The slots that wait for the addresses of a name.
///
/// Confined to the driver's thread.
struct NameWaits {
    /// A request that opens a connection once its peer's name is resolved.
    struct Opener {
        let slot: SlotID
        let request: RequestID
        let peer: NamedPeer
    }

    private struct Wait {
        let ticket: UInt64
        var openers: [Opener]
    }

    private var waits: [String: Wait] = [:]
    private var names: [SlotID: String] = [:]

    /// The number of pending look-ups.
    var count: Int { waits.count }

    /// Joins a pending look-up of the name.
    ///
    /// - Returns: whether there is one.
    mutating func join(_ opener: Opener) -> Bool {
        guard waits[opener.peer.name] != nil else { return false }
        waits[opener.peer.name]?.openers.append(opener)
        names[opener.slot] = opener.peer.name
        return true
    }

    /// Adds the first waiter of a new look-up.
    mutating func add(_ opener: Opener, ticket: UInt64) {
        waits[opener.peer.name] = Wait(ticket: ticket, openers: [opener])
        names[opener.slot] = opener.peer.name
    }

    /// Removes the slot from its look-up.
    ///
    /// - Returns: the look-up, if no other slot waits for it.
    mutating func leave(_ slot: SlotID) -> (name: String, ticket: UInt64)? {
        guard let name = names.removeValue(forKey: slot), var wait = waits[name] else { return nil }
        wait.openers.removeAll { $0.slot == slot }
        waits[name] = wait.openers.isEmpty ? nil : wait
        return wait.openers.isEmpty ? (name, wait.ticket) : nil
    }

    /// Removes a look-up that has ended.
    ///
    /// - Returns: the waiters in the order in which they came; empty if the name has another look-up by now.
    mutating func end(_ name: String, ticket: UInt64) -> [Opener] {
        guard waits[name]?.ticket == ticket, let openers = waits.removeValue(forKey: name)?.openers else { return [] }
        for opener in openers { names[opener.slot] = nil }
        return openers
    }
}
