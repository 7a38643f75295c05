extension TopTable {
    /// The table of a view; `nil` while its page has not arrived.
    init?(_ view: TopView, _ picture: TopPicture) {
        let pools = picture.status.livePools
        switch view {
        case .upstreams: self = .upstreams(pools)
        case .sites: self = .sites(pools)
        case .leases:
            guard case .leases(let page) = picture.details else { return nil }
            self = .leases(page, severalPools: pools.count > 1)
        case .queue:
            guard case .queue(let page) = picture.details else { return nil }
            self = .queue(page, severalPools: pools.count > 1)
        case .events:
            guard case .events(let page) = picture.details else { return nil }
            self = .events(page, severalPools: pools.count > 1)
        }
    }

    private static func pool(_ isShown: Bool) -> [Column] {
        isShown ? [Column("pool", 10, isLeft: true, drop: 3)] : []
    }

    private static func upstreams(_ pools: [StatusPage.Pool]) -> TopTable {
        let several = pools.count > 1
        let columns =
            pool(several) + [
                Column("upstream", 0, isLeft: true), Column("active", 7), Column("idle", 5, drop: 7),
                Column("connecting", 11, drop: 8), Column("queued", 7), Column("oldest", 8, drop: 5),
                Column("responds in", 12, drop: 2), Column("usual", 8, drop: 4), Column("requests/s", 11, drop: 9),
                Column("failed/s", 9, drop: 6),
            ]
        let rows = pools.flatMap { pool in
            (pool.origins ?? []).map { row in
                // In words, because color must not carry it.
                let isSlow = row.findings?.contains("upstream_slow") == true
                return (several ? [Cell(pool.pool)] : []) + [
                    Cell(row.origin), Cell(row.connections.active), Cell(row.connections.idle),
                    Cell(row.connections.connecting), Cell(row.requests.queued), duration(row.oldestQueuedSeconds),
                    Cell((isSlow ? "SLOW " : "") + Figures.duration(row.respondsInSeconds), by: row.respondsInSeconds),
                    duration(row.usualSeconds), rate(row.requestsPerSecond), rate(row.failuresPerSecond),
                ]
            }
        }
        return TopTable(columns: columns, rows: rows)
    }

    private static func sites(_ pools: [StatusPage.Pool]) -> TopTable {
        let several = pools.count > 1
        let columns =
            pool(several) + [
                Column("call site", 0, isLeft: true), Column("in flight", 10), Column("connecting", 11, drop: 5),
                Column("queued", 7), Column("acquires/s", 11, drop: 4), Column("holds for", 10, drop: 1),
                Column("failed/s", 9, drop: 2),
            ]
        let rows = pools.flatMap { pool in
            (pool.sites ?? []).map { row in
                (several ? [Cell(pool.pool)] : []) + [
                    Cell(row.site), Cell(row.requests.inFlight), Cell(row.requests.connecting),
                    Cell(row.requests.queued),
                    rate(row.acquiresPerSecond), duration(row.holdsForSeconds), rate(row.failuresPerSecond),
                ]
            }
        }
        return TopTable(columns: columns, rows: rows)
    }

    private static func leases(_ page: RequestsPage, severalPools: Bool) -> TopTable {
        let columns =
            [Column("age", 10), Column("no byte for", 12, drop: 4), Column("held by", 8, isLeft: true)]
            + pool(severalPools)
            + [
                Column("phase", 20, isLeft: true, drop: 5), Column("call site", 16, isLeft: true),
                Column("upstream", 0, isLeft: true),
            ]
        let rows = page.requests.map { item in
            [duration(item.ageSeconds), duration(item.stillSeconds), Cell(item.heldBy ?? "-")]
                + (severalPools ? [Cell(item.pool)] : [])
                + [Cell((item.phase ?? "-").replacing("_", with: " ")), Cell(item.site), Cell(item.origin)]
        }
        return TopTable(columns: columns, rows: rows)
    }

    private static func queue(_ page: RequestsPage, severalPools: Bool) -> TopTable {
        let columns =
            [Column("queued for", 11), Column("gives up in", 12, drop: 4)] + pool(severalPools)
            + [Column("call site", 16, isLeft: true), Column("upstream", 0, isLeft: true)]
        let rows = page.requests.map { item in
            [duration(item.ageSeconds), duration(item.givesUpInSeconds)] + (severalPools ? [Cell(item.pool)] : [])
                + [Cell(item.site), Cell(item.origin)]
        }
        return TopTable(columns: columns, rows: rows)
    }

    private static func events(_ page: EventsPage, severalPools: Bool) -> TopTable {
        let columns =
            [Column("last", 8, isLeft: true), Column("times", 6, drop: 4)] + pool(severalPools)
            + [Column("event", 0, isLeft: true), Column("upstream", 28, isLeft: true, drop: 5)]
        let rows = page.events.map { item in
            [Cell(TopTime.clock(item.lastAt)), Cell("\(item.count)", by: Double(item.count))]
                + (severalPools ? [Cell(item.pool)] : [])
                + [Cell(item.text + (item.detail.map { ": \($0)" } ?? "")), Cell(item.origin ?? "-")]
        }
        return TopTable(columns: columns, rows: rows)
    }

    private static func duration(_ seconds: Double?) -> Cell { Cell(Figures.duration(seconds), by: seconds) }

    private static func rate(_ rate: Double?) -> Cell {
        guard let rate, rate.isFinite else { return Cell("-", by: nil) }
        return Cell(rate > 0 && rate < 0.05 ? "<0.1" : Figures.rate(rate), by: rate)
    }
}

enum TopTime {
    /// The time of day of `2026-11-26T03:12:41Z`.
    static func clock(_ time: String) -> String { String(time.drop { $0 != "T" }.dropFirst().prefix(8)) }
}
