import Glibc
import PoolMetrics
import Synchronization
import TestSupport

@testable import PoolEndpoint

/// Scrapes an endpoint on a thread while something else happens to it, each time on a new connection.
final class SteadyScraper: Sendable {
    private let port: Int
    private let scrapes = Mutex<[Result<Void, TestFailure>]>([])
    private let isStopped = Atomic(false)

    /// How long each scrape may take.
    private static let patience = 2

    init(port: Int) { self.port = port }

    /// Does `work` on a thread while the endpoint is scraped: at least `least` times, so that the scrapes see it.
    ///
    /// - Throws: if any of the scrapes was not answered in time.
    static func during(
        port: Int,
        least: Int = 20,
        _ work: @escaping @Sendable (_ hasSeenEnough: @Sendable () -> Bool) throws -> Void
    ) async throws {
        let scraper = SteadyScraper(port: port)
        async let scraping: Void = onThread { scraper.run() }
        let result: Result<Void, any Error>
        do {
            result = .success(try await onThread { try work { scraper.scrapes.withLock { $0.count >= least } } })
        } catch {
            result = .failure(error)
        }
        scraper.isStopped.store(true, ordering: .relaxed)
        try await scraping
        try result.get()
        let scrapes = scraper.scrapes.withLock { $0 }
        guard scrapes.count >= least else { throw TestFailure("only \(scrapes.count) scrapes") }
        for scrape in scrapes { try scrape.get() }
    }

    private func run() {
        while !isStopped.load(ordering: .relaxed) {
            let result: Result<Void, TestFailure>
            do {
                let connection = try RawConnection(port: port, patience: Self.patience)
                try connection.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                let text = try connection.readToEnd()
                let isWhole = text.hasPrefix("HTTP/1.1 200 OK\r\n") && text.contains("\npoolscope_build_info")
                result = isWhole ? .success(()) : .failure(TestFailure("a scrape got \"\(text.prefix(200))\""))
            } catch {
                result = .failure(TestFailure("a scrape failed: \(error)"))
            }
            scrapes.withLock { $0.append(result) }
            // The pace of a scraper, which leaves the processor to the attack.
            usleep(10_000)
        }
    }
}

/// The value of a series of the endpoint's own families; `nil` without it.
func series(_ name: String, at address: EndpointAddress) async throws -> Double? {
    let page = try await curl("http://\(address)/metrics").output
    for line in page.split(separator: "\n") where line.hasPrefix("\(name) ") {
        return Double(line.dropFirst(name.count + 1))
    }
    return nil
}
