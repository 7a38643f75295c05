import HTTPPool
import PoolMetrics

/// The findings in one pool.
struct PoolDiagnosis {
    let report: PoolReport
    let process: ProcessSituation
    /// Origins by their labels.
    private let origins: [String: (reading: OriginReading, past: OriginReport)]

    var reading: PoolReading { report.reading }
    var limits: PoolLimits { reading.configuration.limits }
    var now: MonotonicTime { reading.now }

    init(_ report: PoolReport, _ process: ProcessSituation) {
        self.report = report
        self.process = process
        origins = Dictionary(
            zip(report.reading.origins, report.origins).map { ($0.label, ($0, $1)) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    func origin(_ label: String) -> (reading: OriginReading, past: OriginReport)? { origins[label] }

    /// The condition of an origin that holds now, if it does.
    func holds(_ condition: PoolCondition, _ origin: String?) -> ConditionEpisode? {
        report.conditions.first { $0.condition == condition && (origin == nil || $0.origin == origin) }
    }

    /// Whether a limit makes requests wait, for long enough to be reported.
    var isSaturated: Bool { report.conditions.contains { VerdictKind($0.condition)?.isSaturation ?? false } }

    /// The findings, in order of precedence.
    var verdicts: [Verdict] {
        var found = report.conditions.compactMap(verdict)
        if let stalled = stalled { found.insert(stalled, at: 0) }
        // An effect carries its cause, which is then no finding of its own.
        let causes = found.compactMap { verdict in verdict.cause.map { ($0, verdict.origin) } }
        return found.filter { verdict in
            !causes.contains { $0.0 == verdict.kind && ($0.1 == nil || $0.1 == verdict.origin) }
        }
    }

    private func verdict(_ episode: ConditionEpisode) -> Verdict? {
        switch episode.condition {
        // Of a stall, the thread's present state is more exact.
        case .stalled: nil
        case .outOfDescriptors: outOfDescriptors(episode)
        case .saturatedPerOrigin: episode.origin.flatMap { saturatedPerOrigin(episode, $0) }
        case .saturated: saturated(episode)
        case .saturatedStreams: saturatedStreams(episode)
        case .leakSuspected: episode.origin.flatMap { leak(episode, $0) }
        case .upstreamSilent: episode.origin.flatMap { silent(episode, $0) }
        case .upstreamDown: episode.origin.flatMap { down(episode, $0) }
        case .upstreamFailing: episode.origin.flatMap { failing(episode, $0) }
        case .upstreamSlow: episode.origin.flatMap { slow(episode, $0) }
        case .noReuse: episode.origin.flatMap { noReuse(episode, $0) }
        case .evictionChurn: churn(episode)
        case .reloadFailed: reloadFailed(episode)
        case .nearLimit: nearLimit(episode)
        case .ending: ending(episode)
        }
    }

    func make(
        _ kind: VerdictKind,
        _ severity: VerdictSeverity,
        _ episode: ConditionEpisode,
        _ title: String
    ) -> Verdict {
        var verdict = Verdict(
            kind,
            severity,
            pool: reading.name,
            origin: episode.origin,
            began: episode.began,
            now: now,
            title
        )
        verdict.add("since", process.clock(episode.began))
        return verdict
    }

    // MARK: Findings about the pool

    private var stalled: Verdict? {
        guard case .working(let since) = reading.activity, now - since >= 1_000_000_000 else { return nil }
        var verdict = Verdict(
            .stalled,
            .critical,
            pool: reading.name,
            began: since,
            now: now,
            "the pool's thread does not come back from a turn"
        )
        verdict.summary =
            "No request of this pool makes progress meanwhile. What the pool itself reports is that of \(process.clock(since))."
        verdict.add("since", process.clock(since))
        verdict.add("cause", "code that computes or blocks on the pool's thread")
        verdict.add(
            "do first",
            "Look for work under withTaskExecutorPreference(client.executor) that waits, sleeps or computes for long; then take a stack dump of the process."
        )
        verdict.add("or set", "nothing: no setting of the pool helps")
        return verdict
    }

    private func outOfDescriptors(_ episode: ConditionEpisode) -> Verdict {
        let open = process.openDescriptors.map { Phrase.count($0) } ?? "?"
        let most = process.maxDescriptors.map { Phrase.count($0) } ?? "?"
        var verdict = make(.outOfDescriptors, .critical, episode, "\(open) of \(most) are open")
        let failed = report.recent[.noDescriptor]
        verdict.summary = "\(Phrase.count(failed, "connection")) failed for lack of one \(lately)."
        let held = reading.levels.connections.total
        verdict.add(
            "limit",
            reading.ofConnections(
                "this client holds \(Phrase.count(held)) connections of at most \(Phrase.count(limits.maxConnections))"
            )
        )
        verdict.add(
            "do first",
            "Raise the limit of the process (ulimit -n, now \(most)), or find what else keeps descriptors open."
        )
        verdict.add("or set", advice(.maxConnections) + "; lower it below what is left")
        addWindow(to: &verdict)
        verdict.add("recent_connect_failures_no_descriptor", failed)
        verdict.add("open_descriptors", process.openDescriptors.map(Double.init))
        verdict.add("max_descriptors", process.maxDescriptors.map(Double.init))
        return verdict
    }

    private func churn(_ episode: ConditionEpisode) -> Verdict? {
        // The condition is one of the last minute.
        let justNow = report.trend.justNow(RecentCounts(reading.origins), current: report.cell)
        guard justNow.closedForRoom > 0 else { return nil }
        let closed = Double(report.recent.closedForRoom) / max(1, report.recentSeconds)
        var verdict = make(
            .evictionChurn,
            .warning,
            episode,
            "\(Phrase.rate(closed)) connections a second are closed to make room"
        )
        let losing = zip(reading.origins, report.origins).filter { $1.recent.closedForRoom > 0 }
            .sorted { $0.1.recent.closedForRoom > $1.1.recent.closedForRoom }.map(\.0.label)
        verdict.summary =
            "All \(Phrase.count(limits.maxConnections)) connections are in use or idle for other upstreams."
        verdict.add("loses", losing.prefix(3).joined(separator: ", "))
        verdict.add("do first", "Raise the limit of connections, or limit the upstream that takes them.")
        verdict.add("set", advice(.maxConnections))
        verdict.add("or set", advice(.maxConnectionsPerOrigin))
        addWindow(to: &verdict)
        verdict.add("closed_for_room_per_second", closed)
        return verdict
    }

    private func reloadFailed(_ episode: ConditionEpisode) -> Verdict {
        var verdict = make(.reloadFailed, .warning, episode, "the limits before it are in force")
        verdict.add("cause", reading.reloadProblem)
        let how = reading.reloadProblem == nil ? "Mend the file; the log says what is wrong in it." : "Mend the file."
        verdict.add("do first", "\(how) Then send SIGHUP.")
        verdict.add("reload_failures", reading.reloadFailures)
        return verdict
    }

    private func nearLimit(_ episode: ConditionEpisode) -> Verdict? {
        let peak = reading.peaks.demand
        // The condition lasts a while after it was last true, and a limit that is reached is a finding of its own.
        guard Double(peak) >= ConditionRules.nearLimit * Double(limits.maxConnections), !isSaturated,
            holds(.upstreamSilent, nil) == nil
        else { return nil }
        var verdict = make(
            .nearLimit,
            .ok,
            episode,
            "\(Phrase.count(peak)) of \(Phrase.count(limits.maxConnections)) connections were wanted at once"
        )
        verdict.add("set", advice(.maxConnections))
        verdict.add("demand_peak_60s", peak)
        verdict.add("max_connections", limits.maxConnections)
        return verdict
    }

    private func ending(_ episode: ConditionEpisode) -> Verdict? {
        let left = reading.levels.requests.total
        // A client that was made for one request ends at once.
        guard left > 0 || episode.lasted >= 1_000_000_000 else { return nil }
        var verdict = make(
            .ending,
            .ok,
            episode,
            left == 1 ? "1 request is still in flight" : "\(Phrase.count(left)) requests are still in flight"
        )
        let sites = reading.sites.filter { $0.levels.total > 0 }.map { "\(Phrase.site($0.label)) \($0.levels.total)" }
        verdict.add("held by", sites.joined(separator: ", "))
        verdict.add("requests", left)
        return verdict
    }

    // MARK: The time that counts cover

    /// It begins with the cell of ten seconds six before the running one, or with the pool.
    var lately: String { "in the last \(Phrase.recentSeconds(report))" }

    /// The same as a number, for the numbers whose names begin with `recent`.
    func addWindow(to verdict: inout Verdict) { verdict.add("window_seconds", report.recentSeconds) }

    // MARK: Advice

    /// Where a setting is set, its value, and when a change takes effect.
    func advice(_ setting: PoolSetting) -> String {
        let configuration = reading.configuration
        let source = configuration.source(of: setting)
        let value = configuration.value(of: setting).description
        switch source.kind {
        case .environment: return "\(source.name ?? setting.variable), now \(value); in force at the next start"
        case .file, .reload, .provider:
            let key = source.name ?? setting.key
            let place = source.provider ?? "a file"
            let when =
                reading.lastReloadSucceeded == nil || !setting.isReloadable
                ? "in force at the next start" : "in force once the file is reloaded, at once on SIGHUP"
            return "\(key), now \(value), from \(place); \(when)"
        case .code: return "\(setting.property) in the program, now \(value); in force at the next start"
        case .default:
            return "\(source.name ?? setting.variable), now \(value), the default; in force at the next start"
        @unknown default: return "\(setting.variable), now \(value)"
        }
    }
}

extension VerdictKind {
    var isSaturation: Bool { self == .saturatedPerOrigin || self == .saturated || self == .saturatedStreams }
}
