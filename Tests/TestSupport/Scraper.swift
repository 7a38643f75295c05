package import HTTPPool
import HTTPTypes

/// Scrapes the metrics of one pool during a storm and checks what holds in every scrape.
package struct Scraper {
    /// How often it has scraped.
    package private(set) var scrapes = 0
    private let authority: String
    private let client: any PooledHTTPClient
    private let account: StormAccount
    private var checker = ExpositionChecker()

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
        let began = MonotonicTime.now()
        let request = HTTPRequest(method: .get, scheme: "http", authority: authority, path: "/metrics")
        let bytes = try await client.execute(request).body.collect()
        scrapes += 1
        let broken = try broken(ExpositionReader(bytes), began: began, between: finished, and: account.started)
        return broken.isEmpty ? nil : "scrape \(scrapes): \(broken)\n\(String(decoding: bytes, as: UTF8.self))"
    }

    private mutating func broken(
        _ page: ExpositionReader,
        began: MonotonicTime,
        between finished: Int,
        and started: Int
    ) -> [String] {
        var broken = checker.check(page, began: began, ended: .now()).map(\.description)
        func sum(_ name: String, _ labels: [String: String] = [:]) -> Double {
            page.sum("http_client_pool_" + name, labels)
        }
        // Every request begun is in exactly one place.
        let waiting = sum("requests", ["state": "queued"]) + sum("requests", ["state": "connecting"])
        let begun =
            sum("acquires_total") + sum("acquire_failures_total") + waiting - sum("stale_retries_total")
        if begun < Double(finished) || begun > Double(started) {
            broken.append("\(begun) requests begun, and not from \(finished) to \(started)")
        }
        return broken
    }
}
