import HTTPPool
package import PoolMetrics

/// What is found in the pools of a process, worst first. A pure function of their reports and of what is known of the process.
package struct Diagnosis: Sendable {
    /// The findings in order of precedence. One that explains another is in the other's cause and not here. Never empty.
    package let verdicts: [Verdict]
    /// The last trouble of each kind that is over, the latest first.
    package let past: [PastTrouble]

    /// A trouble that is over.
    package struct PastTrouble: Sendable {
        package let kind: VerdictKind
        package let pool: String
        package let episode: ConditionEpisode
    }

    /// The headline.
    package var first: Verdict { verdicts[0] }

    /// How bad it is: the worst of all findings.
    package var severity: VerdictSeverity { verdicts.map(\.severity).max() ?? .ok }

    package init(_ reports: [PoolReport], _ process: ProcessSituation) {
        var found: [Verdict] = []
        for report in reports where !report.reading.hasEnded {
            found += PoolDiagnosis(report, process).verdicts
        }
        if let verdict = Self.clientPerRequest(reports, process) { found.append(verdict) }
        if found.isEmpty { found = [Self.calm(reports, process)] }
        verdicts = found.enumerated().sorted { one, other in
            let (a, b) = (one.element, other.element)
            if a.kind != b.kind { return a.kind.rank < b.kind.rank }
            return a.queued == b.queued ? one.offset < other.offset : a.queued > b.queued
        }.map(\.element)
        past = reports.flatMap { report in
            report.pastConditions.compactMap { episode in
                VerdictKind(episode.condition).map {
                    PastTrouble(kind: $0, pool: report.reading.name, episode: episode)
                }
            }
        }.sorted { $0.episode.lastHeld > $1.episode.lastHeld }
    }

    // MARK: The process

    private static func clientPerRequest(_ reports: [PoolReport], _ process: ProcessSituation) -> Verdict? {
        guard let made = process.clientsMadeLately else { return nil }
        let grown = process.clientsGrownLately ?? 0
        let areShort = made >= 30 && process.clientsAlive <= UInt64(made) / 10
        guard areShort || grown >= 30 else { return nil }
        let perSecond = Double(made) / 60
        var verdict = Verdict(
            .clientPerRequest,
            perSecond >= 10 ? .critical : .warning,
            pool: nil,
            now: process.now,
            "\(Phrase.rate(perSecond)) HTTP clients are made each second"
        )
        verdict.summary =
            "Made since the start: \(Phrase.count(process.clientsCreated)), alive now: \(Phrase.count(process.clientsAlive)). "
            + "None of them can reuse a connection of another: each request pays for DNS, TCP and TLS again."
        verdict.add("cause", "code that makes a client for a request: \(Phrase.count(made, "client")) in the last 60 s")
        let innocent = reports.filter { ($0.reading.reuseRatio ?? 0) > 0.5 }.map(\.reading.name)
        if !innocent.isEmpty {
            let whose = innocent.count == 1 ? "its" : "their"
            verdict.add(
                "not by",
                "\(innocent.count == 1 ? "pool" : "pools") \(Phrase.list(innocent)): most of \(whose) requests reuse a connection"
            )
        }
        if let open = process.openDescriptors, let most = process.maxDescriptors {
            verdict.add("cost", "\(Phrase.count(open)) of \(Phrase.count(most)) file descriptors are open")
        }
        verdict.add(
            "do first",
            "Make one client at the start and hand it to the code that sends. Look for a client that is created inside a request handler, and for one that is not shut down."
        )
        verdict.add("or set", "nothing: no setting of the pool helps")
        verdict.add("clients_made_per_second", perSecond)
        verdict.add("clients_created", process.clientsCreated)
        verdict.add("clients_alive", process.clientsAlive)
        return verdict
    }

    /// Nothing is wrong.
    private static func calm(_ reports: [PoolReport], _ process: ProcessSituation) -> Verdict {
        let live = reports.filter { !$0.reading.hasEnded }
        guard !live.isEmpty else {
            let made =
                process.clientsCreated > 1
                ? "; \(Phrase.count(process.clientsCreated)) clients were made since the start" : ""
            let what =
                reports.isEmpty
                ? "no pool is measured in this process" : "every pool of this process has ended\(made)"
            return Verdict(.idle, .ok, pool: nil, now: process.now, what)
        }
        let lately = live.contains { report in
            report.trend.lastTens(current: report.cell).contains {
                $0.requests > 0 || $0.activePeak > 0 || $0.queuedPeak > 0
            }
        }
        let acquires = live.reduce(UInt64(0)) { sum, report in
            sum + report.reading.origins.reduce(0) { $0 + $1.acquires.total + $1.acquireFailures.total }
        }
        guard lately else {
            let since = acquires == 0 ? "since the start" : "in the last 10 min"
            // Those of clients that are made for a request and ended are not seen otherwise.
            let many = process.clientsCreated > UInt64(live.count) + 10
            let made = many ? "; \(Phrase.count(process.clientsCreated)) clients were made since the start" : ""
            return Verdict(.idle, .ok, pool: nil, now: process.now, "no request \(since)\(made)")
        }
        let queued = live.reduce(0) { $0 + $1.reading.levels.requests.queued }
        let waits =
            queued == 0
            ? "nobody waits for a connection" : "\(Phrase.count(queued, "request")) just began to wait for a connection"
        var verdict = Verdict(.healthy, .ok, pool: nil, now: process.now, "\(waits); no upstream is slow or failing")
        let reporting = live.filter { $0.reading.facts.contains(.connections) }
        guard !reporting.isEmpty else { return verdict }
        let levels = reporting.map(\.reading.levels.connections)
        let open = levels.reduce(0) { $0 + $1.total }
        let limit = reporting.reduce(0) { $0 + $1.reading.configuration.limits.maxConnections }
        let peak = reporting.map { report in
            report.trend.lastTens(current: report.cell).map { $0.activePeak + $0.queuedPeak }.max() ?? 0
        }.reduce(0, +)
        verdict.summary =
            "\(Phrase.count(open)) of \(Phrase.count(limit)) connections are open: \(Phrase.count(levels.reduce(0) { $0 + $1.active })) active, "
            + "\(Phrase.count(levels.reduce(0) { $0 + $1.idle })) idle. At most \(Phrase.count(peak)) were wanted at once in the last 10 min."
        return verdict
    }
}
