import HTTPPool
import PoolMetrics

/// Upstreams that are down, failing or slow, connections that our own code holds, and connections that are not reused.
extension PoolDiagnosis {
    func down(_ episode: ConditionEpisode, _ label: String) -> Verdict? {
        guard let (reading, past) = origin(label) else { return nil }
        let reasons: [(ConnectFailure, String, String)] = [
            (.dns, "its name is not found", "Check the name, and the resolver."),
            (
                .refused, "it refuses connections",
                "Check that it is running and listens on this port, and that its name leads to the right address."
            ),
            (
                .timeout, "its connections are not ready in time",
                "Check that it is running and completes TLS handshakes, and the network and firewalls on the way to it."
            ),
            (.tls, "the TLS handshake fails", "Check its certificate, and which authorities the client trusts."),
            (.other, "no connection can be opened", "Check the network on the way to it."),
        ]
        let most = reasons.max { past.recent[$0.0] < past.recent[$1.0] } ?? reasons[4]
        let failed = past.recent.connectFailuresOfPeer
        var verdict = make(.upstreamDown, .critical, episode, most.1)
        let attempts = failed + Int(past.recent.opened)
        let perSecond = Double(failed) / max(1, report.recentSeconds)
        verdict.summary =
            "\(Phrase.count(failed)) of \(Phrase.count(attempts, "attempt")) to connect failed \(lately), \(Phrase.rate(perSecond)) a second."
        verdict.add(
            "cause",
            "\(most.0.rawValue): \(Phrase.count(past.recent[most.0])) of \(Phrase.count(attempts, "attempt"))"
        )
        verdict.add("error", lastError(past))
        verdict.add(
            "before",
            past.lastSuccess.map { "it last responded at \(process.clock($0))" }
                ?? "it has not responded since the start"
        )
        verdict.add("hurt", sites(of: label))
        let all = Phrase.count(limits.maxConnections)
        let open = self.reading.ofConnections(self.reading.levels.connections.total)
            .map { "the pool has \(Phrase.count($0)) of \(all) connections; " }
        let queued = Phrase.count(reading.levels.requests.queued, "request")
        verdict.add("limit", "\(open ?? "")queued for it: \(queued)")
        verdict.add("do first", most.2)
        verdict.add("or set", "nothing: no setting of the pool helps")
        addWindow(to: &verdict)
        verdict.add("recent_connect_failures", failed)
        verdict.add("connect_failures_per_second", perSecond)
        return verdict
    }

    func failing(_ episode: ConditionEpisode, _ label: String) -> Verdict? {
        guard let (_, past) = origin(label) else { return nil }
        let recent = past.recent
        let outcomes: [(count: UInt32, outcome: LeaseOutcome, words: String)] = [
            (recent.serverErrors, .serverError, "5xx"), (recent.timeouts, .timeout, "a timeout"),
            (recent.lost, .connectionLost, "a lost connection"),
            (recent.invalid, .invalidResponse, "an invalid response"),
        ]
        let found = outcomes.filter { $0.count > 0 }.sorted { $0.count > $1.count }
        let most = found.first ?? outcomes[0]
        let isMost = 2 * recent.leaseFailures >= recent.leases
        var verdict = make(
            .upstreamFailing,
            isMost ? .critical : .warning,
            episode,
            "\(Phrase.count(recent.leaseFailures)) of \(Phrase.count(recent.leases, "request")) failed \(lately), most with \(most.words)"
        )
        verdict.summary =
            "Of them \(found.map { "\(Phrase.count($0.count)) with \($0.words)" }.joined(separator: ", "))."
        if past.justNow.leases > 0, past.justNow.leaseFailures == 0 {
            verdict.summary += " Of the last \(Phrase.count(past.justNow.leases, "request")), none failed."
        }
        let hour = past.trend.lastMinutes(current: report.cell).filter { !$0.isTroubled }
        let requests = hour.reduce(0) { $0 + $1.requests }
        if requests > 0 {
            let failures = hour.reduce(0) { $0 + $1.failures }
            verdict.add(
                "before",
                "\(Phrase.share(Double(failures) / Double(requests))) of the requests failed in the last hour without trouble"
            )
        }
        verdict.add(
            "cause",
            found.enumerated().map { index, entry in
                let all = index == 0 ? " of \(Phrase.count(recent.leases, "request"))" : ""
                return "\(entry.outcome.rawValue): \(Phrase.count(entry.count))\(all)"
            }.joined(separator: ", ")
        )
        verdict.add("error", lastError(past))
        verdict.add("hurt", sites(of: label))
        verdict.add("do first", "Look into the upstream's log. Retries multiply its load.")
        verdict.add("or set", "nothing: no setting of the pool helps")
        addWindow(to: &verdict)
        verdict.add("recent_requests", recent.leases)
        verdict.add("recent_failures", recent.leaseFailures)
        return verdict
    }

    func slow(_ episode: ConditionEpisode, _ label: String) -> Verdict? {
        guard let (reading, past) = origin(label), let responds = past.respondsIn else { return nil }
        let usual = past.usual.map { ", usually in \(Phrase.duration($0))" } ?? ""
        // What is known may be the age of the requests that wait.
        let silence = past.justNow.responses == 0 ? past.lastResponse.map { Double(now - $0) / 1e9 } : nil
        let title =
            silence.map { "it has not responded for \(Phrase.duration($0))\(usual)" }
            ?? "it responds in \(Phrase.duration(responds))\(usual)"
        var verdict = make(.upstreamSlow, .warning, episode, title)
        let inFlight = reading.levels.requests.inFlight
        let oldest = report.holdings.filter { $0.origin == label }.compactMap(\.oldest).min()
        let age = oldest.map { ", the oldest for \(Phrase.duration(Double(now - $0) / 1e9))" } ?? ""
        verdict.summary = "\(Phrase.count(inFlight, "request")) to it \(inFlight == 1 ? "is" : "are") in flight\(age)."
        let rate = Double(past.recent.acquired &+ past.recent.acquireFailures) / max(1, report.recentSeconds)
        let needed = Int(min(1e9, (rate * responds).rounded(.up)))
        let limit = min(limits.maxConnectionsPerOrigin ?? .max, limits.maxConnections)
        verdict.add("held by", holders(of: label, total: inFlight))
        if needed > limit {
            verdict.add(
                "outlook",
                "needed at this pace: \(Phrase.count(needed, "connection")); the limit is \(Phrase.count(limit)), so requests will wait"
            )
        } else {
            verdict.add(
                "outlook",
                "needed at this pace: \(Phrase.count(needed)) of \(Phrase.count(limit, "connection"))"
            )
        }
        verdict.add("do first", "Find out why it is slow. More connections would only add to its load.")
        verdict.add("responds_in_seconds_median", responds)
        verdict.add("usual_seconds_median", past.usual)
        verdict.add("needed_connections", needed)
        return verdict
    }

    /// The overdue requests to an origin that wait for our own code, or for the peer, and their call sites, the most first.
    private func overdue(
        _ label: String,
        heldByCaller: Bool
    ) -> (requests: [LiveRequest], sites: [(key: String, value: Int)]) {
        let requests = report.requests.filter { request in
            request.origin == label && (request.phase == .heldByCaller) == heldByCaller
                && request.moved.map { now - $0 >= reading.overdueAfter } ?? false
        }
        let bySite = requests.reduce(into: [String: Int]()) { $0[$1.site, default: 0] += 1 }
        return (requests, bySite.sorted { ($0.value, $1.key) > ($1.value, $0.key) })
    }

    /// The first of the call sites, each with its share of all: `call site "feed": 9 of 18`.
    private func share(of sites: [(key: String, value: Int)], in all: Int) -> String {
        sites.prefix(3).map { "call site \(Phrase.site($0.key)): \($0.value) of \(all)" }.joined(separator: ", ")
    }

    func leak(_ episode: ConditionEpisode, _ label: String) -> Verdict? {
        let (overdue, sites) = overdue(label, heldByCaller: true)
        guard let oldest = overdue.first else { return nil }
        let site = sites.first?.key ?? oldest.site
        var verdict = make(
            .leakSuspected,
            overdue.count >= 3 ? .critical : .warning,
            episode,
            "our own code holds \(Phrase.count(overdue.count, "connection"))"
        )
        verdict.summary =
            "Their responses are here; call site \(Phrase.site(site)) does not read them, or does not write the request's body."
        verdict.add(
            "cause",
            "No byte has moved for \(Phrase.duration(Double(reading.overdueAfter) / 1e9)) or longer: \(Phrase.count(overdue.count, "request")), the oldest \(Phrase.duration(Double(now - oldest.since) / 1e9)) old."
        )
        verdict.add("held by", share(of: sites, in: overdue.count))
        let levels = reading.levels.connections
        verdict.add(
            "limit",
            reading.ofConnections(
                "\(Phrase.count(levels.total)) of \(Phrase.count(limits.maxConnections)) connections are open, \(Phrase.count(levels.active)) active"
            )
        )
        verdict.add("outlook", reading.ofConnections(overdue.count).flatMap(outlook))
        verdict.add(
            "do first",
            "In the code of \(Phrase.site(site)): read each body to its end, call discard(), or let go of the response."
        )
        if reading.configuration.timeouts.total == nil {
            verdict.add("or set", advice(.totalTimeout) + ". It would end every request after that time.")
        }
        verdict.add("overdue_leases_caller", overdue.count)
        verdict.add("oldest_seconds", Double(now - oldest.since) / 1e9)
        return verdict
    }

    /// A saturation, or a slow upstream, says the same of it and more.
    func silent(_ episode: ConditionEpisode, _ label: String) -> Verdict? {
        guard !isSaturated, holds(.upstreamSlow, label) == nil else { return nil }
        let (overdue, sites) = overdue(label, heldByCaller: false)
        guard let oldest = overdue.first, let lastMove = overdue.compactMap(\.moved).min() else { return nil }
        let count = Phrase.count(overdue.count)
        var verdict = make(
            .upstreamSilent,
            .warning,
            episode,
            reading.ofConnections("it moves no byte on \(count) of \(Phrase.count(limits.maxConnections)) connections")
                ?? "it moves no byte for \(Phrase.count(overdue.count, "request"))"
        )
        let hasReadTimeout = reading.configuration.timeouts.read != nil
        verdict.summary =
            "For \(Phrase.duration(Double(reading.overdueAfter) / 1e9)) or longer, the longest for \(Phrase.duration(Double(now - lastMove) / 1e9))."
            + (hasReadTimeout ? "" : " No read timeout ends these requests.")
        let bodies = overdue.count { $0.phase == .receiving }
        verdict.add(
            "cause",
            [
                bodies > 0 ? "the upstream stopped within \(Phrase.count(bodies, "response"))" : nil,
                bodies < overdue.count
                    ? "it has not responded to \(Phrase.count(overdue.count - bodies, "request"))" : nil,
            ].compactMap { $0 }.joined(separator: ", ")
        )
        verdict.add("held by", share(of: sites, in: overdue.count))
        verdict.add(
            "do first",
            "Look into the upstream. Where the silence is intended, as of long polls and event streams, give these requests a pool of their own. More connections would not help."
        )
        if !hasReadTimeout { verdict.add("set", advice(.readTimeout)) }
        if reading.configuration.timeouts.total == nil { verdict.add("or set", advice(.totalTimeout)) }
        verdict.add("overdue_leases_peer", overdue.count)
        verdict.add("oldest_seconds", Double(now - oldest.since) / 1e9)
        return verdict
    }

    /// When all connections will be held, at the pace of the last hour.
    private func outlook(_ overdue: Int) -> String? {
        let minutes = report.trend.lastMinutes(current: report.cell).map(\.overduePeak)
        guard let first = minutes.firstIndex(where: { $0 > 0 }), overdue > minutes[first] else { return nil }
        let perSecond = Double(overdue - minutes[first]) / Double((minutes.count - first) * 60)
        let left = limits.maxConnections - reading.levels.connections.active
        guard left > 0, perSecond > 0 else { return nil }
        return
            "all \(Phrase.count(limits.maxConnections)) are held in about \(Phrase.duration(Double(left) / perSecond)) at this pace; then everybody waits"
    }

    func noReuse(_ episode: ConditionEpisode, _ label: String) -> Verdict? {
        guard let (_, past) = origin(label) else { return nil }
        let recent = past.recent
        let closers: [(UInt32, String, String, PoolSetting?)] = [
            (
                recent.closedByResponse, "the upstream ends each connection with its response (Connection: close)",
                "Let the upstream keep connections alive.", nil
            ),
            (
                recent.closedByPeer, "the upstream closes idle connections before the pool does",
                "Let the upstream keep connections alive for longer, or the pool for less time.", .keepaliveExpiry
            ),
            (
                recent.closedByCancellation, "our own code leaves responses half-read",
                "Read each response to its end.", nil
            ),
            (
                recent.closedByExpiry, "idle connections expire before the next request",
                "Keep idle connections for longer.", .keepaliveExpiry
            ),
            (
                recent.closedForRoom, "connections are closed to make room for other upstreams",
                "Raise the limit of connections.", .maxConnections
            ),
        ]
        let most = closers.max { $0.0 < $1.0 } ?? closers[0]
        var verdict = make(
            .noReuse,
            .warning,
            episode,
            "\(Phrase.count(recent.acquiredNew)) of \(Phrase.count(recent.acquired, "request")) opened a connection \(lately)"
        )
        verdict.summary = "Each of them paid for TCP and TLS again."
        verdict.add("cause", most.0 > 0 ? "\(most.1): \(Phrase.count(most.0)) \(lately)" : nil)
        verdict.add("do first", most.0 > 0 ? most.2 : "Find out who closes the connections: /pools/\(reading.name)")
        if most.0 > 0, let setting = most.3 { verdict.add("or set", advice(setting)) }
        addWindow(to: &verdict)
        verdict.add("recent_opened", recent.acquiredNew)
        verdict.add("recent_acquired", recent.acquired)
        return verdict
    }

    // MARK: Lines

    /// The words of the last error, and when it was.
    private func lastError(_ past: OriginReport) -> String? {
        past.lastError.map { "last: \"\($0.words)\", \(Phrase.duration(Double(now - $0.time) / 1e9)) ago" }
    }

    /// The call sites with requests to an origin, as far as they are not finished.
    private func sites(of label: String) -> String? {
        var bySite: [String: Int] = [:]
        for request in report.requests where request.origin == label { bySite[request.site, default: 0] += 1 }
        let sorted = bySite.sorted { ($0.value, $1.key) > ($1.value, $0.key) }
        guard !sorted.isEmpty else { return nil }
        return "call \(sorted.count == 1 ? "site" : "sites") "
            + Phrase.list(sorted.prefix(3).map { Phrase.site($0.key) })
    }
}
