package import HTTPPool
import HTTPTypes

/// Scrapes the metrics of one pool during a storm and checks what holds in every scrape.
package struct Scraper {
    /// How often it has scraped.
    package private(set) var scrapes = 0
    private let authority: String
    private let client: any PooledHTTPClient
    private let account: StormAccount
    private var last: [String: Double] = [:]
    private let prefix = "http_client_pool_"

    /// The requests of the pool must be those that the account knows of.
    package init(of authority: String, through client: any PooledHTTPClient, account: StormAccount) {
        self.authority = authority
        self.client = client
        self.account = account
    }

    /// Scrapes once.
    ///
    /// - Returns: what of the invariants is broken, and the page; `nil` where nothing is.
    package mutating func scrape() async throws -> String? {
        // Those that had ended otherwise than by cancellation before the scrape, and those that were begun by its end,
        // bound what it may show.
        let finished = account.finished - account.cancelled
        let request = HTTPRequest(method: .get, scheme: "http", authority: authority, path: "/metrics")
        let bytes = try await client.execute(request).body.collect()
        scrapes += 1
        let broken = try broken(ExpositionReader(bytes), between: finished, and: account.started)
        return broken.isEmpty ? nil : "scrape \(scrapes): \(broken)\n\(String(decoding: bytes, as: UTF8.self))"
    }

    private mutating func broken(_ page: ExpositionReader, between finished: Int, and started: Int) -> [String] {
        var broken: [String] = []
        func sum(_ name: String, _ labels: [String: String] = [:]) -> Double { page.sum(prefix + name, labels) }
        func check(_ holds: Bool, _ what: String) { if !holds { broken.append(what) } }

        check(sum("connections") <= sum("max_connections"), "1: more connections than the limit")
        check(sum("connections", ["state": "idle"]) <= sum("max_idle_connections"), "4: more idle than the limit")
        let origins = Set(page.all(prefix + "connections").compactMap { $0.labels["origin"] })
        for origin in origins {
            let open = sum("connections_opened_total", ["origin": origin])
            let closed = sum("connections_closed_total", ["origin": origin])
            let active = sum("connections", ["origin": origin, "state": "active"])
            let idle = sum("connections", ["origin": origin, "state": "idle"])
            check(
                open - closed == active + idle,
                "2: opened \(open) - closed \(closed) is not \(active) + \(idle) at \(origin)"
            )
            let inFlight = sum("requests", ["origin": origin, "state": "in_flight"])
            check(active == inFlight, "4: \(active) active, \(inFlight) in flight at \(origin)")
        }
        let acquires = sum("acquires_total")
        let inFlight = sum("requests", ["state": "in_flight"])
        check(
            acquires == sum("acquire_duration_seconds_count", ["outcome": "acquired"]),
            "3: acquires and their durations"
        )
        check(acquires == sum("lease_duration_seconds_count") + inFlight, "3: acquires and leases")
        let failures = sum("acquire_failures_total")
        let waiting = sum("requests", ["state": "queued"]) + sum("requests", ["state": "connecting"])
        let begun = acquires + failures + waiting - sum("stale_retries_total")
        check(begun >= Double(finished) && begun <= Double(started), "6: \(finished) <= \(begun) <= \(started)")
        check(sum("site_requests") == sum("requests"), "sites and origins differ")

        for sample in page.samples {
            let isGauge = page.types[sample.name] == "gauge"
            check(!isGauge || !(sample.value < 0), "5: \(sample.name) is negative")
            guard !isGauge else { continue }
            let key = "\(sample.name) \(sample.labels.sorted { $0.key < $1.key })"
            check(sample.value >= last[key] ?? 0, "5: \(key) fell")
            last[key] = sample.value
        }
        return broken
    }
}
