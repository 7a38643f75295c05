internal import ArgumentParser
internal import Foundation
internal import HTTPPool
internal import Load
internal import PoolMetrics
internal import PoolPeer

/// What one scrape of a pool with many origins costs: the reading under the pool's lock, and the text.
struct ScrapeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "scrape", abstract: "Measure reading and rendering.")

    @Option(help: "Origins that the pool has spoken to.") var origins: Int32 = 64
    @Option(help: "Scrapes that are measured.") var scrapes = 2000
    @Option(help: "Where to write the text, for another program to say the same.") var text: String

    func run() throws {
        let (observer, client) = try StillPool.observed(as: "scraped")
        observer.poolDidTurn(.introducing(origins: origins))
        let turn = PoolTurn.ofEverything(origins: origins)
        for _ in 0..<500 { observer.poolDidTurn(turn) }

        let exposition = Exposition.text([client.reading()], process: nil)
        try Data(exposition).write(to: URL(fileURLWithPath: text))
        let report = ScrapeReport(
            series: exposition.split(separator: UInt8(ascii: "\n")).count { $0.first != UInt8(ascii: "#") },
            bytes: exposition.count,
            pool: measure { Exposition.text([client.reading()], process: nil) },
            whole: measure { Exposition.text([client.reading()], process: .current()) },
            readingMicroseconds: measureReading(client),
            turnAfterScrapeMicroseconds: turnAfterScrape(observer, client, turn)
        )
        print(String(decoding: try JSONEncoder().encode(report), as: UTF8.self))
    }

    /// The median time of a reading, during a part of which the pool's thread may have to wait.
    private func measureReading(_ client: MeasuredPool) -> Double {
        median((0..<scrapes).map { _ in time { _ = client.reading() } })
    }

    /// With 50,000 requests queued, how much longer a turn takes right after a scrape than another one: what it has to copy.
    private func turnAfterScrape(
        _ observer: any PoolObserver,
        _ client: MeasuredPool,
        _ turn: PoolTurn
    ) -> Double {
        var queued = PoolTurn(now: MonotonicTime.now())
        for index in 0..<50_000 {
            let key = RequestKey(number: RequestNumber(UInt64(index + 1)), index: Int32(index))
            let kind = PoolEvent.Kind.queued(behind: .connections, waited: 0)
            queued.events.append(PoolEvent(kind, OriginID(index: 0), at: queued.now, request: key))
        }
        observer.poolDidTurn(queued)
        var (after, others): ([Double], [Double]) = ([], [])
        for _ in 0..<scrapes {
            // Kept until the turn is over, as a scrape that is being rendered.
            let reading = client.reading()
            after.append(time { observer.poolDidTurn(turn) })
            withExtendedLifetime(reading) {}
            others.append(time { observer.poolDidTurn(turn) })
        }
        return median(after) - median(others)
    }

    /// In microseconds.
    private func time(_ work: () -> Void) -> Double {
        let start = MonotonicTime.now()
        work()
        return Double(MonotonicTime.now() - start) / 1000
    }

    private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    private func measure(_ scrape: () -> [UInt8]) -> ScrapeReport.Cost {
        var written = 0
        for _ in 0..<scrapes / 10 { written &+= scrape().count }
        let start = ProcessUsage.now()
        for _ in 0..<scrapes { written &+= scrape().count }
        let end = ProcessUsage.now()
        precondition(written > 0, "a scrape writes something")
        return ScrapeReport.Cost(
            microseconds: Double(end.nanoseconds - start.nanoseconds) / 1000 / Double(scrapes),
            cpuMicroseconds: (end.cpuMicroseconds - start.cpuMicroseconds) / Double(scrapes)
        )
    }
}

/// What a scrape costs, as the program in Go prints it too.
struct ScrapeReport: Encodable {
    /// Of one scrape, on average.
    struct Cost: Encodable {
        /// By the clock.
        let microseconds: Double
        /// Of the whole process.
        let cpuMicroseconds: Double

        enum CodingKeys: String, CodingKey {
            case microseconds = "us"
            case cpuMicroseconds = "cpu_us"
        }
    }

    /// Lines that are samples.
    let series: Int
    let bytes: Int
    /// The families of the pool.
    let pool: Cost
    /// The same with those of the process, as the endpoint answers.
    let whole: Cost
    /// The median time of a reading without rendering.
    let readingMicroseconds: Double
    /// How much longer a turn takes right after a scrape, with 50,000 requests queued.
    let turnAfterScrapeMicroseconds: Double

    enum CodingKeys: String, CodingKey {
        case series, bytes, pool, whole
        case readingMicroseconds = "reading_us"
        case turnAfterScrapeMicroseconds = "turn_after_scrape_us"
    }
}
