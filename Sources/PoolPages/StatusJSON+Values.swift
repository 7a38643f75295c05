import HTTPPool
import PoolMetrics

/// The frame of each page.
struct Page<Content: Encodable>: Encodable {
    let schema: String
    let version: Int
    let at: String
    let process: ProcessJSON
    let content: Content

    init(_ schema: String, _ process: ProcessSituation, _ content: Content) {
        self.schema = schema
        version = StatusJSON.version
        at = process.iso(process.now)
        self.process = ProcessJSON(
            host: process.host,
            pid: process.pid,
            uptimeSeconds: process.uptime,
            poolscopeVersion: PoolScopeVersion.current,
            openDescriptors: process.openDescriptors,
            maxDescriptors: process.maxDescriptors
        )
        self.content = content
    }

    private enum Key: String, CodingKey { case schema, version, at, process }

    /// The keys of the content stand beside those of the frame.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(schema, forKey: .schema)
        try container.encode(version, forKey: .version)
        try container.encode(at, forKey: .at)
        try container.encode(process, forKey: .process)
        try content.encode(to: encoder)
    }
}

struct ProcessJSON: Encodable {
    let host: String
    let pid: Int32
    @Nullable var uptimeSeconds: Double?
    let poolscopeVersion: String
    @Nullable var openDescriptors: Int?
    @Nullable var maxDescriptors: Int?
}

struct Status: Encodable {
    let severity: String
    let verdicts: [VerdictJSON]
    let lastEnded: [PastJSON]
    let clients: ClientsJSON
    let pools: [PoolJSON]
}

struct ClientsJSON: Encodable {
    let alive: UInt64
    let createdTotal: UInt64
    // A digit breaks the conversion to snake case.
    @Nullable var createdPerSecond60s: Double?

    private enum CodingKeys: String, CodingKey {
        case alive, createdTotal
        case createdPerSecond60s = "created_per_second_60s"
    }
}

struct VerdictJSON: Encodable {
    struct RowJSON: Encodable {
        let label: String
        let text: String
    }

    let kind: String
    let severity: String
    @Nullable var pool: String?
    @Nullable var origin: String?
    @Nullable var since: String?
    @Nullable var durationSeconds: Double?
    let headline: String
    let summary: String
    let rows: [RowJSON]
    let numbers: [String: Double]

    init(_ verdict: Verdict, _ process: ProcessSituation) {
        kind = verdict.kind.rawValue
        severity = verdict.severity.name
        pool = verdict.pool
        origin = verdict.origin
        since = verdict.began.map(process.iso)
        durationSeconds = verdict.age
        headline = verdict.headline
        summary = verdict.summary
        rows = verdict.rows.map { RowJSON(label: $0.label, text: $0.text) }
        numbers = Dictionary(verdict.numbers.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
    }
}

struct PastJSON: Encodable {
    let kind: String
    let pool: String
    @Nullable var origin: String?
    let since: String
    let endedAt: String
    let durationSeconds: Double

    init(_ past: Diagnosis.PastTrouble, _ process: ProcessSituation) {
        kind = past.kind.rawValue
        pool = past.pool
        origin = past.episode.origin
        since = process.iso(past.episode.began)
        endedAt = process.iso(past.episode.lastHeld)
        durationSeconds = Double(past.episode.lasted) / 1e9
    }
}

struct ConnectionsJSON: Encodable {
    @Nullable var active: Int?
    @Nullable var idle: Int?
    @Nullable var connecting: Int?
    @Nullable var limit: Int?

    init(_ levels: ConnectionLevels?, limit: Int?) {
        active = levels?.active
        idle = levels?.idle
        connecting = levels?.connecting
        self.limit = limit
    }
}

struct RequestsJSON: Encodable {
    let queued: Int
    let connecting: Int
    let inFlight: Int

    init(_ levels: RequestLevels) {
        queued = levels.queued
        connecting = levels.connecting
        inFlight = levels.inFlight
    }
}

/// A cell of a chart.
struct CellJSON: Encodable {
    let queuedPeak: Int
    @Nullable var activePeak: Int?
    let overduePeak: Int
    let requests: Int
    let failures: Int
    @Nullable var medianSeconds: Double?

    init(_ cell: TrendCell, _ reading: PoolReading) {
        queuedPeak = cell.queuedPeak
        activePeak = reading.ofConnections(cell.activePeak)
        overduePeak = cell.overduePeak
        requests = cell.requests
        failures = cell.failures
        medianSeconds = cell.medianSeconds
    }
}

struct PoolJSON: Encodable {
    struct Peaks: Encodable {
        @Nullable var active: Int?
        @Nullable var open: Int?
        let queued: Int
        let demand: Int
    }
    struct OriginJSON: Encodable {
        let origin: String
        let connections: ConnectionsJSON
        let requests: RequestsJSON
        @Nullable var oldestQueuedSeconds: Double?
        @Nullable var respondsInSeconds: Double?
        @Nullable var usualSeconds: Double?
        let requestsPerSecond: Double
        let failuresPerSecond: Double
        @Nullable var lastError: String?
        let findings: [String]
    }
    struct SiteJSON: Encodable {
        let site: String
        let requests: RequestsJSON
        let acquiresPerSecond: Double
        let failuresPerSecond: Double
        @Nullable var holdsForSeconds: Double?
    }

    let pool: String
    let hasEnded: Bool
    let library: String
    let connections: ConnectionsJSON
    let requests: RequestsJSON
    let oldestQueuedSeconds: Double
    @Nullable var oldestLeaseSeconds: Double?
    @Nullable var overdueLeases: [String: Int]?
    @Nullable var reuseRatio: Double?
    @Nullable var driverStallSeconds: Double?
    let peaks: Peaks
    let windowSeconds: Double
    let lastTenMinutes: [CellJSON]
    let origins: [OriginJSON]
    let sites: [SiteJSON]

    init(_ report: PoolReport) {
        let reading = report.reading
        let seconds = max(1, report.recentSeconds)
        pool = reading.name
        hasEnded = reading.hasEnded
        library = reading.backend.library
        connections = ConnectionsJSON(
            reading.ofConnections(reading.levels.connections),
            limit: reading.configuration.limits.maxConnections
        )
        requests = RequestsJSON(reading.levels.requests)
        oldestQueuedSeconds = reading.oldestQueuedSeconds
        oldestLeaseSeconds = reading.oldestLeaseSeconds
        overdueLeases = reading.overdueLeases.map { ["peer": $0.peer, "caller": $0.caller] }
        reuseRatio = reading.reuseRatio
        driverStallSeconds = reading.driverStallSeconds
        let high = reading.peaks
        peaks = Peaks(
            active: reading.ofConnections(high.active),
            open: reading.ofConnections(high.open),
            queued: high.queued,
            demand: high.demand
        )
        windowSeconds = report.recentSeconds
        lastTenMinutes = report.trend.lastTens(current: report.cell).map { CellJSON($0, reading) }
        origins = zip(reading.origins, report.origins).map { origin, past in
            OriginJSON(
                origin: origin.label,
                connections: ConnectionsJSON(
                    reading.ofConnections(origin.levels.connections),
                    limit: reading.configuration.limits.maxConnectionsPerOrigin
                ),
                requests: RequestsJSON(origin.levels.requests),
                oldestQueuedSeconds: past.oldestQueued.map { Double(reading.now - $0) / 1e9 },
                respondsInSeconds: past.respondsIn,
                usualSeconds: past.usual,
                requestsPerSecond: Double(past.recent.finished) / seconds,
                failuresPerSecond: Double(past.recent.failed) / seconds,
                lastError: past.lastError?.words,
                findings: report.conditions.filter { $0.origin == origin.label }.map(\.condition.rawValue)
            )
        }
        sites = zip(reading.sites, report.sites).map { site, recent in
            SiteJSON(
                site: site.label,
                requests: RequestsJSON(site.levels),
                acquiresPerSecond: Double(recent.acquires) / seconds,
                failuresPerSecond: Double(recent.failures) / seconds,
                holdsForSeconds: recent.acquires > 0
                    ? Double(recent.leaseMicroseconds) / 1e6 / Double(recent.acquires) : nil
            )
        }
    }
}

struct Requests: Encodable {
    let total: Int
    let shown: Int
    let groups: [GroupJSON]
    let requests: [RequestJSON]
}

struct GroupJSON: Encodable {
    let pool: String
    let origin: String
    let site: String
    let requests: Int
    let peer: Int
    let caller: Int
    let oldestSeconds: Double
}

struct RequestJSON: Encodable {
    let pool: String
    let number: UInt64
    let origin: String
    let site: String
    @Nullable var phase: String?
    @Nullable var heldBy: String?
    let ageSeconds: Double
    @Nullable var stillSeconds: Double?
    @Nullable var givesUpInSeconds: Double?
    @Nullable var connection: UInt64?
}

struct Events: Encodable {
    let total: Int
    let events: [EventJSON]
}

struct EventJSON: Encodable {
    let pool: String
    let number: UInt64
    let kind: String
    @Nullable var origin: String?
    let text: String
    @Nullable var detail: String?
    let firstAt: String
    let lastAt: String
    let count: UInt64
}

struct Config: Encodable {
    let pools: [ConfigJSON]
}

struct ConfigJSON: Encodable {
    let pool: String
    let settings: [SettingJSON]
}

struct SettingJSON: Encodable {
    let name: String
    let variable: String
    let value: String
    let source: String
    @Nullable var key: String?
    @Nullable var provider: String?
    let isReloadable: Bool
    @Nullable var use: String?
}

/// An optional that is encoded as `null`, so that every key is always there.
@propertyWrapper
struct Nullable<Wrapped: Encodable>: Encodable {
    var wrappedValue: Wrapped?

    init(wrappedValue: Wrapped?) { self.wrappedValue = wrappedValue }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
    }
}
