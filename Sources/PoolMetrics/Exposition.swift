import HTTPPool

/// Readings written down for Prometheus, in the text format 0.0.4.
public enum Exposition {
    /// The value of the `Content-Type` header.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Every family with its samples, those of one family together.
    ///
    /// - Parameters:
    ///   - readings: the pools, each of another name.
    ///   - process: the process itself; `nil` where its families are not wanted.
    public static func text(_ readings: [PoolReading], process: ProcessReading?) -> [UInt8] {
        let counts = PoolCensus.counts
        return text(
            Scrape(pools: readings, process: process, poolsCreated: counts.created, poolsAlive: counts.alive)
        )
    }

    static func text(_ scrape: Scrape) -> [UInt8] {
        let writer = SampleWriter(scrape)
        var bytes: [UInt8] = []
        // Enough for most, so that the text is not moved while it grows.
        bytes.reserveCapacity(scrape.pools.reduce(32768) { $0 + 32768 + $1.origins.count * 4096 })
        for family in Family.all {
            let start = bytes.count
            bytes.append(piece: family.header)
            let end = bytes.count
            writer.write(family, to: &bytes)
            // A family without samples is left out, header and all.
            if bytes.count == end { bytes.removeLast(end - start) }
        }
        return bytes
    }
}
