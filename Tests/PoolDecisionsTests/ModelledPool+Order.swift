import HTTPPool

@testable import PoolDecisions

/// Who is to be given a connection, worked out anew: from what was submitted, opened, left and closed, and from nothing
/// that the state machine keeps for the purpose.
extension ModelledPool {
    struct Line {
        /// A count of submissions and of connections that were given.
        var moments = 0
        /// By host: when it was last given a connection.
        var lastGiven: [Int: Int] = [:]
        /// Hosts whose connections became free in this input.
        var freed: [Int] = []
        /// Requests that are given a connection in this input.
        var started: Set<RequestID> = []
        /// Hosts that lost a connection in this input.
        var lost: [Int] = []
        /// Connections on which requests lost their place, which are to have what it leaves.
        var owed: Set<SlotID> = []
        /// Hosts of those that were closed in this input.
        var owedHosts: Set<Int> = []
        /// Hosts that refuse everything, before this input.
        var refusing: Set<Int> = []
        /// Hosts that hold none and wait: how long.
        var waits: [Int: Wait] = [:]

        struct Wait {
            let oldest: UInt64
            /// Connections that went to others meanwhile.
            var passed = 0
            /// Hosts that waited meanwhile, itself too.
            var rivals: Set<Int>
        }
    }

    /// A host that has waited since before this input, and that another connection would help.
    private struct Waiting {
        let host: Int
        let held: Int
        let since: Int
        let oldest: UInt64
    }

    private func held(by host: Int) -> Int {
        connections.count { connection in
            guard let connection, connection.host == host else { return false }
            return !connection.isIdle
        }
    }

    private func waiting() -> [Waiting] {
        sequence.hosts.indices.compactMap { host in
            var oldest: Request?
            for (id, request) in requests.enumerated() {
                guard let request, request.host == host, request.wasQueued, request.slot == nil, waits(id) else {
                    continue
                }
                if request.number < oldest?.number ?? .max { oldest = request }
            }
            guard let oldest, !line.refusing.contains(host), !isRefusing(host) else { return nil }
            let own = connections.compactMap { $0 }.filter { $0.host == host }
            guard own.count < limits.maxConnectionsPerOrigin ?? .max || own.contains(where: \.isIdle) else {
                return nil
            }
            return Waiting(
                host: host,
                held: held(by: host),
                since: max(oldest.moment, line.lastGiven[host] ?? 0),
                oldest: oldest.number
            )
        }
    }

    /// Whether it waits still, or is given a connection later in this input. Others share one that is being opened, of which
    /// no action tells.
    private func waits(_ id: RequestID) -> Bool {
        rig.machine.requests.contains(id) && rig.machine.waiting.contains(id) || line.started.contains(id)
    }

    func isRefusing(_ host: Int) -> Bool {
        // Most hosts have refused nothing, and it is asked after every step.
        guard let account = refusals[host], account.sinceResponse >= 2,
            let index = rig.machine.origins.number(of: Rig.origin(String(host)))
        else { return false }
        return !rig.machine.refusals.mayOpen(index)
    }

    /// A connection is about to be given to the request.
    mutating func checkTurn(of id: RequestID) {
        guard let request = requests[id] else { return }
        let host = request.host
        defer {
            line.moments += 1
            line.lastGiven[host] = line.moments
        }
        guard limits.queueOrder == .fair else { return }
        // It keeps what its own connection left.
        if request.hadPlace, let index = line.lost.firstIndex(of: host) {
            line.lost.remove(at: index)
            line.waits[host] = nil
            return
        }
        let others = waiting().filter { $0.host != host }
        let own = held(by: host)
        let since = max(request.moment, line.lastGiven[host] ?? 0)
        for other in others {
            check(own <= other.held, "a connection went to an origin that holds more than another one that waits")
            guard own == other.held else { continue }
            if own == 0 {
                check(since < other.since, "a connection went to an origin that had gone without for less long")
            } else if line.freed.count == 1, line.freed != [host] {
                check(line.freed != [other.host], "a connection was taken from an origin for one that holds as many")
                check(since < other.since, "a connection went to an origin that had gone without for less long")
            }
        }
        noteWaits(of: others, servedFirst: host)
    }

    /// An origin that holds none is given a connection within as many releases as there are waiting origins.
    private mutating func noteWaits(of others: [Waiting], servedFirst host: Int) {
        line.waits[host] = nil
        let rivals = Set(others.map(\.host) + [host])
        for other in others {
            guard other.held == 0 else {
                line.waits[other.host] = nil
                continue
            }
            var wait = line.waits[other.host] ?? Line.Wait(oldest: other.oldest, rivals: rivals)
            if wait.oldest != other.oldest { wait = Line.Wait(oldest: other.oldest, rivals: rivals) }
            wait.passed += 1
            wait.rivals.formUnion(rivals)
            check(wait.passed < wait.rivals.count, "an origin that holds none waits for longer than it may")
            line.waits[other.host] = wait
        }
    }

    /// A connection closes.
    mutating func noteClosed(_ slot: SlotID, _ connection: Connection) {
        if !connection.isIdle || line.freed.contains(connection.host) { line.lost.append(connection.host) }
        if !connection.isIdle { line.freed.append(connection.host) }
        if line.owed.remove(slot) != nil { line.owedHosts.insert(connection.host) }
    }

    /// The first of those that were submitted, over all origins, and no later one.
    mutating func checkFIFO(opened: [RequestID]) {
        guard limits.queueOrder == .fifo, let latest = opened.compactMap({ requests[$0]?.number }).max() else { return }
        for index in rig.machine.origins.indices {
            guard let first = rig.machine.waiting.first(of: index), rig.machine.refusals.mayOpen(index),
                rig.machine.record.connections(of: index).total < limits.maxConnectionsPerOrigin ?? .max
            else { continue }
            check(rig.machine.requests[first].number > latest, "a later request of another origin got the connection")
        }
    }

    /// Every lease ends, again and again: nobody may be left waiting.
    mutating func drain() {
        for round in 0..<2 {
            var count = 0
            while endAll(), count < 10_000 { count += 1 }
            check(count < 10_000, "leases never come to an end")
            let left = requests.compactMap { $0 }.filter { round > 0 || !isRefusing($0.host) }
            check(left.isEmpty, "every lease has ended, and a request waits")
            // Those whose peer refuses everything have their turn after a pause.
            if round == 0 { pass(.seconds(1)) }
        }
    }
}

extension ModelledPool.Connection {
    var isIdle: Bool { isReady && transfers.isEmpty && joining.isEmpty }
}
