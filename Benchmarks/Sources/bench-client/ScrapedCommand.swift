internal import ArgumentParser
internal import CurlPool
internal import Foundation
internal import HTTPPool
internal import Load
internal import PoolEndpoint
internal import PoolMetrics
internal import PoolPeer

/// What being scraped costs a pool under load: the same load with scrapes and without, in turn.
struct ScrapedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scraped",
        abstract: "Measure a load with and without scrapes of its pool."
    )

    @Option(help: "What to GET.") var url: String
    @Option(help: "Bytes that every body must have.") var bytes: Int
    @Option(help: "Requests in flight at once.") var concurrency = 16
    @Option(help: "Requests of each half of a pair.") var requests: Int
    @Option(help: "Pairs: once with scrapes, once without.") var pairs: Int
    @Option(help: "Scrapes a second.") var rate = 100
    @Option(help: "Origins that the pool knows; all but one refused it.") var origins = 1

    func run() async throws {
        ProcessUsage.raiseDescriptorLimit()
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = concurrency
        configuration.limits.maxIdleConnections = concurrency
        let client = try InstrumentedClient(CurlClient(configuration))
        let endpoint = MetricsEndpoint.silent()
        let port = try await endpoint.start().port
        for refusing in 1..<max(origins, 1) {
            // Nobody listens on the lowest ports; an answer would do as well.
            _ = try? await client.execute(PoolRequest("http://127.0.0.1:\(refusing)/").http)
        }
        let peer = try PoolPeer(url: url, client: client)
        var report: [ScrapedReport.Pair] = []
        for pair in 0...pairs {
            // In turn the one and the other is first, so that a drift of the machine favours neither.
            let before = pair.isMultiple(of: 2) ? try await load(peer) : nil
            let (scraped, account) = try await Scraper.beside({ try await load(peer) }, port: port, perSecond: rate)
            let alone = if let before { before } else { try await load(peer) }
            // The first pair is the warm-up.
            if pair > 0 { report.append(ScrapedReport.Pair(alone: alone, scraped: scraped, account: account)) }
        }
        print(String(decoding: try JSONEncoder().encode(ScrapedReport(origins: origins, pairs: report)), as: UTF8.self))
        await endpoint.stop()
        await client.shutdown()
    }

    private func load(_ peer: PoolPeer) async throws -> LoadReport {
        let plan = LoadPlan(concurrency: concurrency, requests: requests, warmup: 0, bytes: bytes)
        return try await plan.measure(peer, named: "scraped")
    }
}

/// A load beside scrapes against the same load alone.
struct ScrapedReport: Encodable {
    struct Pair: Encodable {
        let scrapesPerSecond: Double
        let bytesPerScrape: Int
        /// Requests per second beside scrapes, divided by those alone.
        let throughputRatio: Double
        /// CPU time of a request beside scrapes, without that of the scraper, divided by that alone.
        let cpuRatio: Double

        enum CodingKeys: String, CodingKey {
            case scrapesPerSecond = "scrapes_per_second"
            case bytesPerScrape = "bytes_per_scrape"
            case throughputRatio = "throughput_ratio"
            case cpuRatio = "cpu_ratio"
        }

        init(alone: LoadReport, scraped: LoadReport, account: Scraper.Account) {
            scrapesPerSecond = Double(account.scrapes) / scraped.seconds
            bytesPerScrape = account.bytes / max(account.scrapes, 1)
            throughputRatio = alone.seconds / scraped.seconds
            let ownCPU = scraped.cpuMicrosecondsPerRequest - account.cpuMicroseconds / Double(scraped.requests)
            cpuRatio = ownCPU / alone.cpuMicrosecondsPerRequest
        }
    }

    let origins: Int
    let pairs: [Pair]
}
