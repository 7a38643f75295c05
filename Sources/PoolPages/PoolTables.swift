import HTTPPool
import PoolMetrics

/// The tables of the pages `/` and `/pools/NAME`.
enum PoolTables {
    static let mostRows = 12

    static func pools(_ reports: [PoolReport]) -> PageTable {
        var table = PageTable(
            "pool",
            width: 16,
            [
                .init("active", 7), .init("idle", 6), .init("connecting", 10), .init("open", 5), .init("limit", 6),
                .init("queued", 7), .init("oldest", 8), .init("reused", 7),
            ]
        )
        for report in reports {
            let reading = report.reading
            let connections = reading.levels.connections
            let queued = reading.levels.requests.queued
            table.add(
                reading.hasEnded ? .words("\(reading.name) (ended)") : .pool(reading.name),
                [
                    .init(reading.count(connections.active), bar: reading.use),
                    .init(reading.count(connections.idle)), .init(reading.count(connections.connecting)),
                    .init(reading.count(connections.total)),
                    .init(Phrase.count(reading.configuration.limits.maxConnections)),
                    .init(Phrase.count(queued), isTrouble: queued > 0),
                    .init(queued > 0 ? Phrase.duration(reading.oldestQueuedSeconds) : "-"),
                    .init(reading.reuseRatio.map(Phrase.share) ?? "-"),
                ]
            )
        }
        return table
    }

    static func origins(_ report: PoolReport) -> PageTable {
        var table = PageTable(
            "upstream",
            width: 27,
            [
                .init("active", 7), .init("idle", 5), .init("connecting", 10), .init("queued", 6),
                .init("responds in", 12), .init("usual", 7),
            ]
        )
        let limits = report.reading.configuration.limits
        let limit = min(limits.maxConnectionsPerOrigin ?? .max, limits.maxConnections)
        // The culprit above its victims.
        let rows = zip(report.reading.origins, report.origins).filter { $0.0.label != "retired" }.sorted { one, other in
            let (a, b) = (one.0.levels, other.0.levels)
            let keys = ([a.connections.taken, a.requests.queued], [b.connections.taken, b.requests.queued])
            return keys.0 == keys.1 ? one.0.label < other.0.label : keys.1.lexicographicallyPrecedes(keys.0)
        }
        for (reading, past) in rows.prefix(mostRows) {
            let connections = reading.levels.connections
            let queued = reading.levels.requests.queued
            let state = state(of: reading.label, report)
            let responds = [state, past.respondsIn.map(Phrase.duration)].compactMap(\.self).joined(separator: " ")
            let use = report.reading.ofConnections(ConnectionUse(connections, limit: limit))
            table.add(
                .origin(reading.label),
                [
                    .init(report.reading.count(connections.active), isTrouble: connections.taken >= limit, bar: use),
                    .init(report.reading.count(connections.idle)), .init(report.reading.count(connections.connecting)),
                    .init(Phrase.count(queued), isTrouble: queued > 0),
                    .init(responds.isEmpty ? "-" : responds, isTrouble: state != nil),
                    .init(past.usual.map(Phrase.duration) ?? "-"),
                ]
            )
        }
        let sum = report.reading.levels
        table.add(
            sum: rows.count > mostRows
                ? "all \(rows.count), \(rows.count - mostRows) not shown" : "all \(rows.count)",
            [
                .init(report.reading.count(sum.connections.active)), .init(report.reading.count(sum.connections.idle)),
                .init(report.reading.count(sum.connections.connecting)), .init(Phrase.count(sum.requests.queued)),
            ]
        )
        return table
    }

    /// The most severe condition of an origin in one word; `nil` without one.
    private static func state(of label: String, _ report: PoolReport) -> String? {
        let found = Set(report.conditions.filter { $0.origin == label }.map(\.condition))
        if found.contains(.upstreamDown) { return "DOWN" }
        if found.contains(.upstreamFailing) { return "FAILS" }
        return found.contains(.upstreamSlow) ? "SLOW" : nil
    }

    static func sites(_ report: PoolReport) -> PageTable {
        var table = PageTable(
            "call site",
            width: 20,
            [
                .init("in flight", 9), .init("connecting", 10), .init("queued", 6), .init("requests/s", 10),
                .init("no conn./s", 10), .init("holds for", 9),
            ]
        )
        let seconds = max(1, report.recentSeconds)
        let rows = zip(report.reading.sites, report.sites).filter { $0.0.label != "retired" }.sorted { one, other in
            let (a, b) = (one.0.levels, other.0.levels)
            let keys = ([a.inFlight, a.queued, Int(one.1.acquires)], [b.inFlight, b.queued, Int(other.1.acquires)])
            return keys.0 == keys.1 ? one.0.label < other.0.label : keys.1.lexicographicallyPrecedes(keys.0)
        }
        var all = (acquires: 0.0, failures: 0.0)
        for (index, (reading, recent)) in rows.enumerated() {
            all.acquires += Double(recent.acquires) / seconds
            all.failures += Double(recent.failures) / seconds
            guard index < mostRows else { continue }
            let held = recent.acquires > 0 ? Double(recent.leaseMicroseconds) / 1e6 / Double(recent.acquires) : nil
            table.add(
                .site(reading.label),
                [
                    .init(Phrase.count(reading.levels.inFlight)), .init(Phrase.count(reading.levels.connecting)),
                    .init(Phrase.count(reading.levels.queued), isTrouble: reading.levels.queued > 0),
                    .init(Phrase.rate(Double(recent.acquires &+ recent.failures) / seconds)),
                    .init(Phrase.rate(Double(recent.failures) / seconds), isTrouble: recent.failures > 0),
                    .init(held.map(Phrase.duration) ?? "-"),
                ]
            )
        }
        let sum = report.reading.levels.requests
        table.add(
            sum: rows.count > mostRows ? "all \(rows.count), \(rows.count - mostRows) not shown" : "all \(rows.count)",
            [
                .init(Phrase.count(sum.inFlight)), .init(Phrase.count(sum.connecting)), .init(Phrase.count(sum.queued)),
                .init(Phrase.rate(all.acquires + all.failures)), .init(Phrase.rate(all.failures)),
            ]
        )
        return table
    }

    static func levels(_ report: PoolReport) -> PageTable {
        let reading = report.reading
        let levels = reading.levels
        let limits = reading.configuration.limits
        var table = PageTable("level", width: 40, [.init("now", 8), .init("peak in 60 s", 14), .init("limit", 8)])
        func add(_ name: String, _ now: String, _ peak: String, _ limit: String?) {
            let cells: [PageTable.Cell] = [.init(now), .init(peak)]
            table.add(.words(name), cells + (limit.map { [.init($0)] } ?? []))
        }
        let (connections, peaks) = (levels.connections, reading.peaks)
        add("connections active", reading.count(connections.active), reading.count(peaks.active), nil)
        let most = Phrase.count(limits.maxConnections)
        add("connections open", reading.count(connections.total), reading.count(peaks.open), most)
        let mostQueued = limits.maxQueuedRequests.map { Phrase.count($0) } ?? "none"
        add("requests queued", Phrase.count(levels.requests.queued), Phrase.count(peaks.queued), mostQueued)
        add("requests wanted at once", Phrase.count(levels.requests.total), Phrase.count(peaks.demand), nil)
        return table
    }

    static func totals(_ report: PoolReport) -> PageTable {
        let origins = report.reading.origins
        var table = PageTable(
            "since the start",
            width: 25,
            [
                .init("new", 8), .init("reused", 10), .init("no conn.", 9), .init("opened", 9), .init("closed", 8),
                .init("open", 5),
            ]
        )
        func cells(_ rows: [OriginReading]) -> [PageTable.Cell] {
            func sum(_ count: (OriginReading) -> UInt64) -> PageTable.Cell {
                .init(Phrase.count(rows.reduce(0) { $0 &+ count($1) }))
            }
            func ofConnections(_ count: (OriginReading) -> UInt64) -> PageTable.Cell {
                report.reading.ofConnections(sum(count)) ?? "-"
            }
            return [
                sum { $0.acquires[.new] }, sum { $0.acquires[.reused] &+ $0.acquires[.multiplexed] },
                sum { $0.acquireFailures.total }, ofConnections { $0.connectionsOpened },
                ofConnections { $0.connectionsClosed.total },
                .init(
                    report.reading.count(
                        rows.reduce(0) { $0 &+ $1.levels.connections.active &+ $1.levels.connections.idle }
                    )
                ),
            ]
        }
        for origin in origins.sorted(by: { $0.acquires.total > $1.acquires.total }).prefix(64) {
            table.add(.origin(origin.label), cells([origin]))
        }
        table.add(sum: "all \(origins.count)", cells(origins))
        return table
    }

    /// What ended and why, since the start: `closed`, `3,946 idle_expired, 75 peer_closed`.
    static func reasons(_ report: PoolReport) -> [Verdict.Row] {
        let origins = report.reading.origins
        return [
            .init(label: "closed", text: counts(CloseReason.self, origins) { $0.connectionsClosed[$1] }),
            .init(label: "ended", text: counts(LeaseOutcome.self, origins) { $0.leases[$1] }),
            .init(label: "not acquired", text: counts(AcquireFailure.self, origins) { $0.acquireFailures[$1] }),
            .init(label: "not opened", text: counts(ConnectFailure.self, origins) { $0.connectFailures[$1] }),
        ]
    }

    private static func counts<Key: CaseIterable & RawRepresentable<String>>(
        _: Key.Type,
        _ origins: [OriginReading],
        _ count: (OriginReading, Key) -> UInt64
    ) -> String {
        let found = Key.allCases.map { key in (key, origins.reduce(UInt64(0)) { $0 &+ count($1, key) }) }
            .filter { $0.1 > 0 }
        guard !found.isEmpty else { return "none" }
        return found.sorted { $0.1 > $1.1 }.map { "\(Phrase.count($0.1)) \($0.0.rawValue)" }.joined(separator: ", ")
    }
}

extension PoolReading {
    /// The value, which is about connections; `nil` if the client does not report its connections, since the value would then be
    /// a 0 that nobody counted.
    func ofConnections<Value>(_ value: Value) -> Value? { facts.contains(.connections) ? value : nil }

    /// A number of connections; `-` if the client does not report them.
    func count(_ connections: some BinaryInteger) -> String {
        ofConnections(connections).map { Phrase.count($0) } ?? "-"
    }

    /// The connections of the whole pool; `nil` if the client does not report them.
    var use: ConnectionUse? {
        ofConnections(ConnectionUse(levels.connections, limit: configuration.limits.maxConnections))
    }
}

extension ConnectionUse {
    init(_ levels: ConnectionLevels, limit: Int) {
        self.init(active: levels.active, connecting: levels.connecting, idle: levels.idle, limit: limit)
    }
}
