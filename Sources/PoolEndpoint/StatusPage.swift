import HTTPPool
import PoolMetrics

/// A plain-text page about the pools, for `curl` and terminals of 80 columns.
enum StatusPage {
    /// The maximum line width, in columns.
    static let width = 80

    /// Renders the page.
    ///
    /// - Parameters:
    ///   - readings: the measured pools.
    ///   - pools: the number of pools that the process has and ever had, measured or not.
    static func text(_ readings: [PoolReading], pools: (created: UInt64, alive: UInt64)) -> String {
        let title =
            "PoolScope \(PoolScopeVersion.current); pools in this process: \(pools.alive.compact) alive, "
            + "\(pools.created.compact) ever created"
        var lines = [title]
        if readings.isEmpty { lines += ["", "no pool is measured"] }
        for reading in readings { lines += section(reading) }
        return lines.map { $0.trimmed + "\n" }.joined()
    }

    private static func section(_ reading: PoolReading) -> [String] {
        let backend = "\(reading.backend.library), \(reading.backend.tls)"
        let title = "pool \(reading.name) (\(backend))\(reading.hasEnded ? ", ended" : "")"
        let caution = reading.backend.caution.map { [$0.fitted(to: width)] } ?? []
        return ["", title.fitted(to: width)] + caution + [""] + summary(reading) + origins(reading.origins)
            + sites(reading.sites)
            + limits(reading.configuration)
    }

    // MARK: One pool at a glance

    private static func summary(_ reading: PoolReading) -> [String] {
        let connections = reading.levels.connections
        let requests = reading.levels.requests
        let most = reading.configuration.limits.maxConnections
        var lines = saturation(reading)
        for warning in reading.configuration.warnings(descriptorLimit: nil) {
            lines += entry(
                "WARNING",
                warning.description.split(separator: " ").map { String($0).fitted(to: width - 15) }
            )
        }
        if reading.lastReloadSucceeded == false {
            lines += entry(
                "RELOAD FAILED",
                ["the", "values", "before", "it", "are", "in", "force;", "the", "log", "says", "why"]
            )
        }
        lines += entry(
            "connections",
            ["\(connections.total.compact) of \(most.compact):"],
            [("connecting", connections.connecting), ("active", connections.active), ("idle", connections.idle)]
        )
        lines += entry(
            "requests",
            ["\(requests.total.compact):"],
            [("queued", requests.queued), ("connecting", requests.connecting), ("in flight", requests.inFlight)]
        )
        if let names = reading.resolving {
            lines += entry("resolving", [names == 0 ? "none" : names == 1 ? "1 name" : "\(names.compact) names"])
        }
        lines += entry(
            "oldest",
            [requests.queued > 0 ? "queued for \(age(reading.oldestQueuedSeconds))" : "none queued"]
        )
        lines += entry("acquires", totals(reading, AcquireKind.self) { $0.acquires[$1] }, keepZeros: true)
        lines += entry("reuse ratio", [ratio(reading.reuseRatio)])
        lines += entry("limit waits", PoolLimit.allCases.map { ($0.rawValue, reading.limitWaits($0)) })
        lines += entry("not acquired", totals(reading, AcquireFailure.self) { $0.acquireFailures[$1] })
        lines += entry("not opened", totals(reading, ConnectFailure.self) { $0.connectFailures[$1] })
        lines += entry("closed", totals(reading, CloseReason.self) { $0.connectionsClosed[$1] })
        if let changed = reading.configurationAgeSeconds {
            let count = reading.configurationChanges
            let times = count == 1 ? "once" : "\(count.compact) times"
            lines += entry("limits", ["changed \(times), last \(age(changed)) ago"])
        }
        return lines
    }

    /// Which limit currently makes requests wait.
    private static func saturation(_ reading: PoolReading) -> [String] {
        let limits = reading.configuration.limits
        let connections = reading.levels.connections.total
        guard reading.levels.requests.queued > 0 else { return [] }
        if connections >= limits.maxConnections {
            let taken =
                connections == 1 ? "the only connection is taken" : "all \(connections.compact) connections are taken"
            return entry("SATURATED", [taken])
        }
        guard let most = limits.maxConnectionsPerOrigin else { return [] }
        let full = reading.origins.count { $0.levels.requests.queued > 0 && $0.levels.connections.total >= most }
        let origins = full == 1 ? "1 origin" : "\(full.compact) origins"
        return full == 0
            ? []
            : entry(
                "SATURATED",
                ["\(origins) at the limit of \(most.compact) \(most == 1 ? "connection" : "connections") each"]
            )
    }

    /// The counts over all origins, as name and number per case.
    private static func totals<Key: CaseIterable & RawRepresentable<String>>(
        _ reading: PoolReading,
        _: Key.Type,
        _ count: (OriginReading, Key) -> UInt64
    ) -> [(String, UInt64)] {
        Key.allCases.map { key in (key.rawValue, reading.origins.reduce(0) { $0 &+ count($1, key) }) }
    }

    // MARK: Tables

    private static func origins(_ origins: [OriginReading]) -> [String] {
        guard !origins.isEmpty else { return [] }
        let widths = [10, 6, 6, 6, 9, 6, 6]
        func row(_ name: String, _ cells: [String]) -> String {
            name.left(24) + zip(cells, widths).map { " " + $0.right($1) }.joined()
        }
        let titles = ["connecting", "active", "idle", "queued", "in-flight", "opened", "closed"]
        let rows = busiestFirst(origins.map { ($0, $0.label, $0.levels.requests.total + $0.levels.connections.total) })
        return ["", row("origin", titles)]
            + rows.map { origin in
                let (connections, requests) = (origin.levels.connections, origin.levels.requests)
                let levels = [connections.connecting, connections.active, connections.idle, requests.queued]
                let counts = [origin.connectionsOpened, origin.connectionsClosed.total].map(\.compact)
                return row(origin.label, levels.map(\.compact) + [requests.inFlight.compact] + counts)
            }
    }

    private static func sites(_ sites: [SiteReading]) -> [String] {
        guard !sites.isEmpty else { return [] }
        let widths = [6, 10, 9]
        func row(_ name: String, _ cells: [String]) -> String {
            name.left(52) + zip(cells, widths).map { " " + $0.right($1) }.joined()
        }
        let rows = busiestFirst(sites.map { ($0, $0.label, $0.levels.total) })
        return ["", row("call site", ["queued", "connecting", "in-flight"])]
            + rows.map { site in
                row(site.label, [site.levels.queued, site.levels.connecting, site.levels.inFlight].map(\.compact))
            }
    }

    /// Every setting with its value and source, including the transport's, which a running process does not show
    /// elsewhere.
    private static func limits(_ configuration: PoolConfiguration) -> [String] {
        let title = "  " + "limit".left(16) + "  " + "in force".right(12) + "  set by"
        return ["", title]
            + PoolSetting.all.map { setting in
                let setBy = configuration.source(of: setting).description.fitted(to: 46)
                // A path or an address may use the remaining width.
                let room = max(12, width - 22 - setBy.columns)
                let value = configuration.value(of: setting).description.fitted(to: room)
                return "  " + setting.label.left(16) + "  " + value.right(max(12, value.columns)) + "  " + setBy
            }
    }

    private static func busiestFirst<Row>(_ rows: [(row: Row, name: String, load: Int)]) -> [Row] {
        rows.sorted { ($1.load, $0.name) < ($0.load, $1.name) }.map(\.row)
    }

    // MARK: Words and numbers

    /// An entry such as `closed       3 peer_closed, 1 error`, wrapped; empty if all counts are zero.
    private static func entry(_ title: String, _ counts: [(String, UInt64)], keepZeros: Bool = false) -> [String] {
        let shown = keepZeros ? counts : counts.filter { $0.1 > 0 }
        return shown.isEmpty ? [] : entry(title, [], shown)
    }

    private static func entry(_ title: String, _ words: [String], _ counts: [(String, some BinaryInteger)]) -> [String]
    {
        let list = counts.map { "\($0.1.compact) \($0.0)," }
        return entry(title, words + list.dropLast() + list.suffix(1).map { String($0.dropLast()) })
    }

    private static func entry(_ title: String, _ words: [String]) -> [String] {
        let indent = 15
        var lines: [String] = []
        var line = "  " + title.left(indent - 3)
        for word in words {
            if line.columns + 1 + word.columns > width {
                lines.append(line)
                line = String(repeating: " ", count: indent - 1)
            }
            line += " " + word
        }
        return lines + [line]
    }

    /// Whole milliseconds below one second, otherwise tenths of a second.
    private static func age(_ seconds: Double) -> String {
        if seconds < 1 { return "\(Int(seconds * 1000)) ms" }
        let tenths = Int(seconds * 10)
        return "\((tenths / 10).compact).\(tenths % 10) s"
    }

    /// Truncated, not rounded, so that 100 % means all.
    private static func ratio(_ ratio: Double?) -> String {
        guard let ratio else { return "no acquire yet" }
        let tenths = Int(ratio * 1000)
        return "\(tenths / 10).\(tenths % 10) %"
    }
}

extension PoolReading {
    /// The warnings about the pool, one line each.
    var cautions: [String] {
        (backend.caution.map { [$0] } ?? []) + configuration.warnings(descriptorLimit: nil).map(\.description)
    }
}
