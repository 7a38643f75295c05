import FoundationEssentials
import HTTPPool
package import PoolMetrics

/// The pages as JSON: base units in the keys, `null` for what is not known, times in ISO 8601 in UTC.
///
/// `version` rises when a key goes or changes its meaning, never for a new key.
package enum StatusJSON {
    package static let version = 1

    package static func status(_ reports: [PoolReport], _ process: ProcessSituation, _ diagnosis: Diagnosis) -> [UInt8]
    {
        encode(
            Page(
                "poolscope/status",
                process,
                Status(
                    severity: diagnosis.severity.name,
                    verdicts: diagnosis.verdicts.map { VerdictJSON($0, process) },
                    lastEnded: diagnosis.past.map { PastJSON($0, process) },
                    clients: ClientsJSON(
                        alive: process.clientsAlive,
                        createdTotal: process.clientsCreated,
                        createdPerSecond60s: process.clientsMadeLately.map { Double($0) / 60 }
                    ),
                    pools: reports.map { PoolJSON($0) }
                )
            )
        )
    }

    package static func requests(leases: Bool, _ reports: [PoolReport], _ process: ProcessSituation, _ query: PageQuery)
        -> [UInt8]
    {
        let list = RequestList(leases: leases, reports, query)
        return encode(
            Page(
                leases ? "poolscope/leases" : "poolscope/queue",
                process,
                Requests(
                    total: list.total,
                    shown: list.items.count,
                    groups: list.groups.map {
                        GroupJSON(
                            pool: $0.pool,
                            origin: $0.origin,
                            site: $0.site,
                            requests: $0.count,
                            peer: $0.peer,
                            caller: $0.caller,
                            oldestSeconds: $0.oldest
                        )
                    },
                    requests: list.items.map {
                        RequestJSON(
                            pool: $0.pool,
                            number: $0.request.number.value,
                            origin: $0.request.origin,
                            site: $0.request.site,
                            phase: $0.request.phase?.rawValue,
                            heldBy: leases ? $0.heldBy?.rawValue : nil,
                            ageSeconds: $0.age,
                            stillSeconds: $0.still,
                            givesUpInSeconds: $0.givesUpIn,
                            connection: $0.request.connection?.value
                        )
                    }
                )
            )
        )
    }

    package static func events(_ reports: [PoolReport], _ process: ProcessSituation, _ query: PageQuery) -> [UInt8] {
        let list = EventList(reports, process, query)
        return encode(
            Page(
                "poolscope/events",
                process,
                Events(
                    total: list.total,
                    events: list.items.map {
                        EventJSON(
                            pool: $0.pool,
                            number: $0.event.number,
                            kind: $0.event.kind.name,
                            origin: $0.event.origin,
                            text: $0.event.kind.title,
                            detail: $0.detail,
                            firstAt: process.iso($0.event.first),
                            lastAt: process.iso($0.event.last),
                            count: $0.event.count
                        )
                    }
                )
            )
        )
    }

    package static func config(_ reports: [PoolReport], _ process: ProcessSituation) -> [UInt8] {
        encode(
            Page(
                "poolscope/config",
                process,
                Config(
                    pools: reports.filter { !$0.reading.hasEnded }.map { report in
                        let configuration = report.reading.configuration
                        return ConfigJSON(
                            pool: report.reading.name,
                            settings: PoolSetting.all.map { setting in
                                let source = configuration.source(of: setting)
                                return SettingJSON(
                                    name: setting.name,
                                    variable: setting.variable,
                                    value: configuration.value(of: setting).description,
                                    source: source.kind.rawValue,
                                    key: source.name,
                                    provider: source.provider,
                                    isReloadable: setting.isReloadable,
                                    use: SettingUse(setting, report).words
                                )
                            }
                        )
                    }
                )
            )
        )
    }

    private static func encode(_ page: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // No number of a page is infinite or not a number; should one be, its page says so instead of failing.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "+Inf",
            negativeInfinity: "-Inf",
            nan: "NaN"
        )
        guard let data = try? encoder.encode(page) else { return Array("{}\n".utf8) }
        return Array(data) + [UInt8(ascii: "\n")]
    }
}

extension ProcessSituation {
    /// A time in ISO 8601, in UTC, in whole seconds.
    func iso(_ time: MonotonicTime) -> String {
        let date = UTCDate(secondsSince1970: wallClock - Double(now - time) / 1e9)
        return "\(date.day)T\(date.time)Z"
    }
}
