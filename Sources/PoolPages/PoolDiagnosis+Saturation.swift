import HTTPPool
import PoolMetrics

/// Limits that keep requests waiting, with their cause.
extension PoolDiagnosis {
    func saturatedPerOrigin(_ episode: ConditionEpisode, _ label: String) -> Verdict? {
        guard let (origin, past) = origin(label), let limit = limits.maxConnectionsPerOrigin else { return nil }
        let others = report.conditions.count { $0.condition == .saturatedPerOrigin } - 1
        let more = others > 0 ? " (as \(Phrase.count(others, "other upstream")))" : ""
        var verdict = make(
            .saturatedPerOrigin,
            .critical,
            episode,
            "1 upstream is at its limit of \(Phrase.count(limit, "connection"))\(more)"
        )
        let queued = origin.levels.requests.queued
        verdict.queued = queued
        verdict.summary = waiting(queued, past.oldestQueued, past.recent, forIt: true)
        let cause = SaturationCause(self, origin, past, connections: origin.levels.connections)
        verdict.cause = cause.kind
        verdict.add("cause", cause.words)
        verdict.add(
            "held by",
            holders(of: label, total: origin.levels.requests.inFlight + origin.levels.requests.connecting)
        )
        let open = reading.levels.connections.total
        let room = open < limits.maxConnections ? "The pool has room: " : "The pool is full, too: "
        verdict.add(
            "limit",
            "\(Phrase.count(limit, "connection")) per upstream. \(room)it has \(Phrase.count(open)) of \(Phrase.count(limits.maxConnections))."
        )
        finish(
            &verdict,
            episode,
            past.recent,
            responds: past.respondsIn,
            cause,
            setting: .maxConnectionsPerOrigin,
            limit: limit
        )
        return verdict
    }

    func saturated(_ episode: ConditionEpisode) -> Verdict? {
        let limit = limits.maxConnections
        let culprit = zip(reading.origins, report.origins).max {
            $0.0.levels.connections.taken < $1.0.levels.connections.taken
        }
        guard let (origin, past) = culprit else { return nil }
        let taken = origin.levels.connections.taken
        // Requests waited within the last seconds, and no connection is in use any more.
        guard taken > 0 else { return nil }
        let users = reading.origins.count { $0.levels.connections.taken > 0 }
        let isOne = 2 * taken > limit || limit == 1
        let title =
            isOne
            ? "1 upstream holds \(limit == 1 ? "the only connection" : "\(Phrase.count(taken)) of all \(Phrase.count(limit)) connections")"
            : "\(limit == 1 ? "the only connection is" : "all \(Phrase.count(limit)) connections are") in use by \(Phrase.count(users, "upstream"))"
        var verdict = Verdict(
            .saturated,
            .critical,
            pool: reading.name,
            origin: isOne ? origin.label : nil,
            began: episode.began,
            now: now,
            title
        )
        verdict.add("since", process.clock(episode.began))
        let queued = reading.levels.requests.queued
        verdict.queued = queued
        verdict.summary = waiting(queued, reading.oldestQueued, report.recent, forIt: false)
        let connections = isOne ? origin.levels.connections : reading.levels.connections
        let cause = SaturationCause(self, isOne ? origin : nil, isOne ? past : nil, connections: connections)
        verdict.cause = cause.kind
        verdict.add("cause", cause.words)
        verdict.add("held by", holders(of: isOne ? origin.label : nil, total: isOne ? taken : limit))
        if isOne {
            let hurt = reading.sites.filter { $0.levels.queued > 0 && $0.levels.inFlight <= 1 }.prefix(3)
            verdict.add(
                "also hurt",
                hurt.map { "\(Phrase.site($0.label)) (\(Phrase.count($0.levels.queued)) queued)" }.joined(
                    separator: ", "
                )
            )
        }
        let levels = reading.levels.connections
        let perOrigin = limits.maxConnectionsPerOrigin.map { "\($0) per upstream" } ?? "no limit per upstream"
        verdict.add(
            "limit",
            "\(limit == 1 ? "the only connection" : "all \(Phrase.count(limit)) connections"): \(levels.active) active, \(levels.connecting) connecting, \(levels.idle) idle; \(perOrigin)"
        )
        let hasOthers = reading.origins.count { !$0.isShared } > 1
        if isOne, hasOthers, limits.maxConnectionsPerOrigin == nil, cause.isUpstream {
            addCost(&verdict, episode)
            // Fewer than it holds now, or nothing would change.
            let room = max(1, min(limit / 2, taken - 1))
            verdict.add(
                "do first",
                "Keep room for the others: set a limit per upstream, for example \(room). Then: \(cause.advice)"
            )
            verdict.add("set", advice(.maxConnectionsPerOrigin))
            return verdict
        }
        finish(
            &verdict,
            episode,
            report.recent,
            responds: isOne ? past.respondsIn : nil,
            cause,
            setting: .maxConnections,
            limit: limit
        )
        return verdict
    }

    func saturatedStreams(_ episode: ConditionEpisode) -> Verdict? {
        let waitingFor = reading.origins.filter { $0.levels.requests.queued > 0 }
            .max { $0.levels.requests.queued < $1.levels.requests.queued }
        guard let origin = waitingFor else { return nil }
        var verdict = make(
            .saturatedStreams,
            .critical,
            episode,
            "\(origin.label) allows no further request on its connections"
        )
        verdict.queued = origin.levels.requests.queued
        verdict.summary = waiting(verdict.queued, reading.oldestQueued, report.recent, forIt: true)
        verdict.add(
            "limit",
            "the upstream's own limit of streams; \(Phrase.count(origin.levels.connections.total, "connection")) to it"
        )
        verdict.add("do first", "Allow another connection to it, or raise the upstream's limit of streams.")
        verdict.add("set", advice(.maxConnectionsPerOrigin))
        return verdict
    }

    // MARK: Lines

    private func waiting(_ queued: Int, _ oldest: MonotonicTime?, _ recent: RecentCounts, forIt: Bool) -> String {
        let whom = forIt ? " for it" : ""
        let age = oldest.map { ", the oldest for \(Phrase.duration(Double(now - $0) / 1e9))" } ?? ""
        let gaveUp = Double(recent.gaveUp) / max(1, report.recentSeconds)
        let giveUp = gaveUp > 0 && queued > 0 ? "; \(Phrase.rate(gaveUp)) a second give up" : ""
        let are = queued == 1 ? "is" : "are"
        return "\(Phrase.count(queued, "request")) \(are) queued\(whom)\(age)\(giveUp)."
    }

    func holders(of origin: String?, total: Int) -> String? {
        var bySite: [String: Int] = [:]
        for holding in report.holdings where origin == nil || holding.origin == origin {
            bySite[holding.site, default: 0] += holding.total
        }
        let sorted = bySite.sorted { ($0.value, $1.key) > ($1.value, $0.key) }
        guard !sorted.isEmpty else { return nil }
        let shown = sorted.prefix(3).map {
            "\(Phrase.site($0.key)): \(Phrase.count($0.value)) of \(Phrase.count(max(total, $0.value)))"
        }
        let rest = sorted.dropFirst(3).reduce(0) { $0 + $1.value }
        let noun = sorted.count == 1 ? "call site " : "call sites "
        return noun + shown.joined(separator: ", ") + (rest > 0 ? ", others: \(Phrase.count(rest))" : "")
    }

    /// - Parameter responds: how late the upstream responds, in seconds.
    private func finish(
        _ verdict: inout Verdict,
        _ episode: ConditionEpisode,
        _ recent: RecentCounts,
        responds: Double?,
        _ cause: SaturationCause,
        setting: PoolSetting,
        limit: Int
    ) {
        addCost(&verdict, episode)
        // Of a leak, or an upstream that does not respond, no number of connections is enough.
        let need = cause.raising == .never ? nil : addNeed(&verdict, recent, limit: limit, responds: responds)
        verdict.add("queued", verdict.queued)
        verdict.add("limit", limit)
        switch cause.raising {
        case .never: verdict.add("do first", cause.advice)
        case .second:
            verdict.add("do first", cause.advice)
            verdict.add("or set", advice(setting))
        case .first:
            verdict.add(
                "do first",
                need.map { "Raise the limit to \(Phrase.count($0)) or more, if the upstream can bear it." }
                    ?? "Raise the limit."
            )
            verdict.add("set", advice(setting))
        }
    }

    private func addCost(_ verdict: inout Verdict, _ episode: ConditionEpisode) {
        let counted = episode.counted
        let all = Int(counted.acquired) + Int(counted.gaveUp)
        guard counted.gaveUp > 0 else { return }
        let timeout =
            reading.configuration.timeouts.acquire.map { " after up to \(Phrase.duration($0.inSeconds)) in the queue" }
            ?? ""
        verdict.add(
            "cost",
            "\(Phrase.count(counted.gaveUp)) of \(Phrase.count(all, "request")) gave up\(timeout) or found the queue full"
        )
        verdict.add("gave_up", counted.gaveUp)
        verdict.add("acquired", counted.acquired)
    }

    /// What would be enough for nobody to wait, by Little's law.
    @discardableResult
    private func addNeed(
        _ verdict: inout Verdict,
        _ recent: RecentCounts,
        limit: Int,
        responds: Double?
    ) -> Int? {
        // Where requests share connections, their number says nothing about the connections needed.
        guard !reading.origins.contains(where: { $0.levels.requests.inFlight > $0.levels.connections.active }) else {
            return nil
        }
        guard recent.leases >= 5 else {
            let peak = reading.peaks.demand
            guard peak > limit else { return nil }
            verdict.add(
                "needed",
                "at least \(Phrase.count(peak, "connection")): so many were wanted at once in the last minute"
            )
            verdict.add("needed_connections", peak)
            return peak
        }
        // A request whose connection could not be opened needed none.
        let rate = Double(recent.acquired &+ recent.gaveUp) / max(1, report.recentSeconds)
        // The last minute may have been better than now.
        let held = max(Double(recent.leaseMicroseconds) / 1e6 / Double(recent.leases), responds ?? 0)
        let needed = Int(min(1e9, (rate * held).rounded(.up)))
        guard needed > 0 else { return nil }
        // A caller that waits sends no other request meanwhile, so the rate is that of a pool in which requests wait.
        let wanted = reading.peaks.demand
        let most = wanted > needed ? " to \(Phrase.count(wanted))" : ""
        let peak = wanted > needed ? "; \(Phrase.count(wanted)) were wanted at once" : ""
        verdict.add(
            "needed",
            "\(Phrase.count(needed))\(most) connections for nobody to wait: \(Phrase.rate(rate)) requests/s x \(Phrase.duration(held)) each\(peak)"
        )
        verdict.add("needed_connections", needed)
        verdict.add("demand_peak_60s", wanted)
        addWindow(to: &verdict)
        verdict.add("requests_per_second", rate)
        verdict.add("held_seconds_mean", held)
        return needed > limit ? needed : nil
    }
}

extension ConnectionLevels {
    /// Those that do something for their origin.
    var taken: Int { connecting &+ active }
}
