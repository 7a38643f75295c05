import HTTPPool

/// The samples of one pool in one scrape, and the rules that they obey.
struct PoolScrape: Sendable {
    typealias Fault = ExpositionChecker.Fault
    typealias Rule = ExpositionChecker.Rule
    typealias Sample = ExpositionReader.Sample

    private let samples: [String: [Sample]]
    private static let prefix = "http_client_pool_"

    /// Each pool of a scrape, by its name.
    static func pools(of page: ExpositionReader) -> [String: PoolScrape] {
        var samples: [String: [String: [Sample]]] = [:]
        for sample in page.samples where sample.name.hasPrefix(prefix) && !sample.name.hasSuffix("_bucket") {
            guard let pool = sample.labels["pool"] else { continue }
            samples[pool, default: [:]][String(sample.name.dropFirst(prefix.count)), default: []].append(sample)
        }
        return samples.mapValues { PoolScrape(samples: $0) }
    }

    /// Whether there is a sample of this name.
    func has(_ name: String) -> Bool { samples[name] != nil }

    /// All samples of a name that have at least these labels, added up.
    func sum(_ name: String, _ labels: [String: String] = [:]) -> Double {
        (samples[name] ?? []).reduce(0) { sum, sample in
            labels.allSatisfy { sample.labels[$0.key] == $0.value } ? sum + sample.value : sum
        }
    }

    /// The one sample of a name that has at least these labels.
    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        let found = (samples[name] ?? []).filter { sample in labels.allSatisfy { sample.labels[$0.key] == $0.value } }
        return found.count == 1 ? found.first?.value : nil
    }

    private func rows(_ label: String) -> Set<String> {
        Set((samples["requests"] ?? []).compactMap { $0.labels[label] })
    }

    // MARK: - Within a scrape

    var faults: [Fault] { originFaults + histogramFaults + siteFaults + levelFaults }

    private func equal(_ rule: Rule, _ found: Double, _ expected: Double, _ what: String = "") -> [Fault] {
        found == expected ? [] : [Fault(rule: rule, detail: "\(found) instead of \(expected) \(what)")]
    }

    private var isHTTP1Only: Bool { samples["transport_info"]?.first?.labels["http2"] == "off" }

    private var originFaults: [Fault] {
        rows("origin").flatMap { origin -> [Fault] in
            let label = ["origin": origin]
            func at(_ name: String, _ state: String? = nil) -> Double {
                sum(name, state.map { ["origin": origin, "state": $0] } ?? label)
            }
            let inFlight = at("requests", "in_flight")
            let (acquires, ended) = (at("acquires_total"), at("leases_total"))
            var faults = equal(.leases, acquires - ended, inFlight, "acquires - leases at \(origin)")
            if has("stale_retries_total") {
                let retried = sum("leases_total", ["origin": origin, "outcome": "retried"])
                faults += equal(.retries, retried, at("stale_retries_total"), "at \(origin)")
            }
            guard has("connections") else { return faults }
            let (active, idle) = (at("connections", "active"), at("connections", "idle"))
            let usable = at("connections_opened_total") - at("connections_closed_total")
            faults += equal(.openConnections, usable, active + idle, "opened - closed at \(origin)")
            if isHTTP1Only ? active != inFlight : active > inFlight {
                faults.append(Fault(rule: .activeConnections, detail: "\(active), \(inFlight) in flight at \(origin)"))
            }
            return faults
        }
    }

    private var histogramFaults: [Fault] {
        func count(_ name: String, _ outcome: String? = nil) -> Double {
            sum(name + "_count", outcome.map { ["outcome": $0] } ?? [:])
        }
        let (acquires, failures) = (sum("acquires_total"), sum("acquire_failures_total"))
        let duration = "acquire_duration_seconds"
        var faults = equal(.acquired, count(duration, "acquired"), acquires)
        faults += equal(.acquireFailed, count(duration, "failed"), failures)
        faults += equal(.leaseDurations, count("lease_duration_seconds"), sum("leases_total"))
        if has("time_to_head_seconds_count") {
            faults += equal(.responses, count("time_to_head_seconds"), sum("responses_total"))
        }
        if has("queue_wait_seconds_count") {
            faults += equal(.queueWait, count("queue_wait_seconds", "acquired"), acquires)
            faults += equal(.queueWait, count("queue_wait_seconds", "failed"), failures)
        }
        if has("connections") {
            let connects = "connect_duration_seconds"
            faults += equal(.connects, count(connects, "connected"), sum("connections_opened_total"))
            faults += equal(.connects, count(connects, "failed"), sum("connect_failures_total"))
            let closed = sum("connections_closed_total")
            faults += equal(.lifetimes, count("connection_lifetime_seconds"), closed)
            faults += equal(.lifetimes, count("connection_requests"), closed)
        }
        return faults
    }

    private var siteFaults: [Fault] {
        var faults: [Fault] = []
        for state in ["queued", "connecting", "in_flight"] {
            faults += equal(.sites, sum("site_requests", ["state": state]), sum("requests", ["state": state]), state)
        }
        for name in ["acquires_total", "acquire_failures_total"] {
            faults += equal(.sites, sum("site_" + name), sum(name), name)
        }
        // A nanosecond a row, and what binary fractions of so many seconds leave.
        for name in ["lease_seconds_total", "wait_seconds_total"] {
            let (sites, origins) = (sum("site_" + name), sum(name))
            let rows = (samples["site_" + name]?.count ?? 0) + (samples[name]?.count ?? 0)
            guard abs(sites - origins) > 1e-9 * Double(rows) + 1e-12 * origins else { continue }
            faults += equal(.sites, sites, origins, name)
        }
        return faults
    }

    private var levelFaults: [Fault] {
        var faults: [Fault] = []
        func expect(_ holds: Bool, _ rule: Rule, _ detail: @autoclosure () -> String) {
            if !holds { faults.append(Fault(rule: rule, detail: detail())) }
        }
        let (requests, queued) = (sum("requests"), sum("requests", ["state": "queued"]))
        let inFlight = sum("requests", ["state": "in_flight"])
        expect(sum("queued_peak") >= queued, .peaks, "\(sum("queued_peak")), \(queued) queued")
        expect(sum("demand_peak") >= requests, .peaks, "\(sum("demand_peak")), \(requests) requests")
        if has("connections") {
            let open = sum("connections")
            let active = sum("connections", ["state": "active"])
            let idle = sum("connections", ["state": "idle"])
            expect(sum("connections_peak", ["state": "open"]) >= open, .peaks, "\(open) open")
            expect(sum("connections_peak", ["state": "active"]) >= active, .peaks, "\(active) active")
            expect(idle <= sum("max_idle_connections"), .idleLimit, "\(idle)")
        }
        if has("saturated") {
            let limits = sum("saturated") - sum("saturated", ["limit": "none"])
            let none = sum("saturated", ["limit": "none"])
            expect(none == (limits == 0 ? 1 : 0), .saturation, "none is \(none) with \(limits)")
            expect(limits == 0 || queued > 0, .saturation, "\(limits) with \(queued) queued")
        }
        expect(sum("overdue_leases") <= inFlight, .overdue, "\(sum("overdue_leases")) of \(inFlight)")
        // A request that loses its connection begins to wait again at the end of the turn, its next acquisition within it. No
        // turn takes as long as this.
        let slack = 1.0 * sum("leases_total", ["outcome": "retried"])
        let (waited, took) = (sum("wait_seconds_total"), sum("acquire_duration_seconds_sum"))
        expect(waited >= took - slack - 1e-9 - 1e-12 * took, .waits, "\(waited) s, the acquisitions \(took) s")
        let acquires = sum("acquires_total")
        let ratio = (acquires - sum("acquires_total", ["kind": "new"])) / acquires
        let shown = value("reuse_ratio")
        expect(shown.map { abs($0 - ratio) < 1e-9 } ?? (acquires == 0), .reuse, "\(shown ?? .nan) for \(ratio)")
        return faults
    }

    // MARK: - Between scrapes

    /// - Parameter seconds: from before the earlier scrape to after this one.
    func growth(since last: PoolScrape, seconds: Double) -> [Fault] {
        var faults: [Fault] = []
        func expect(_ names: [String], _ labels: [String: String] = [:], atMost rate: Double) {
            let now = names.reduce(0) { $0 + sum($1, labels) }
            let grown = now - names.reduce(0) { $0 + last.sum($1, labels) }
            // Whole nanoseconds are written as binary fractions.
            guard grown > rate * seconds + 1e-9 + 1e-12 * now else { return }
            faults.append(Fault(rule: .growth, detail: "\(names) \(labels): \(grown) in \(seconds) s at \(rate)"))
        }
        expect(["connection_seconds_total"], atMost: sum("connections_peak", ["state": "open"]))
        expect(["queued_seconds_total"], atMost: sum("queued_peak"))
        expect(["wait_seconds_total", "lease_seconds_total"], atMost: sum("demand_peak"))
        for limit in (samples["saturated_seconds_total"] ?? []).compactMap({ $0.labels["limit"] }) {
            expect(["saturated_seconds_total"], ["limit": limit], atMost: 1)
        }
        return faults
    }
}
