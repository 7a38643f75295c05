import PoolDecisions

/// The slots whose connections wait for the addresses of a name.
///
/// It belongs to the driver's thread.
struct NameWaits {
    /// A request that is to open a connection as soon as its peer's name is known.
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

    /// Look-ups that are waited for.
    var count: Int { waits.count }

    /// Joins those who wait for the name already.
    ///
    /// - Returns: whether there are any.
    mutating func join(_ opener: Opener) -> Bool {
        guard waits[opener.peer.name] != nil else { return false }
        waits[opener.peer.name]?.openers.append(opener)
        names[opener.slot] = opener.peer.name
        return true
    }

    /// The first who waits for the name.
    mutating func add(_ opener: Opener, ticket: UInt64) {
        waits[opener.peer.name] = Wait(ticket: ticket, openers: [opener])
        names[opener.slot] = opener.peer.name
    }

    /// The slot waits for nothing any more.
    ///
    /// - Returns: the look-up that nobody waits for now, if that was the last one.
    mutating func leave(_ slot: SlotID) -> (name: String, ticket: UInt64)? {
        guard let name = names.removeValue(forKey: slot), var wait = waits[name] else { return nil }
        wait.openers.removeAll { $0.slot == slot }
        waits[name] = wait.openers.isEmpty ? nil : wait
        return wait.openers.isEmpty ? (name, wait.ticket) : nil
    }

    /// The look-up has ended.
    ///
    /// - Returns: who waited for it, in the order in which they came; nobody where it is another one by now.
    mutating func end(_ name: String, ticket: UInt64) -> [Opener] {
        guard waits[name]?.ticket == ticket, let openers = waits.removeValue(forKey: name)?.openers else { return [] }
        for opener in openers { names[opener.slot] = nil }
        return openers
    }
}
