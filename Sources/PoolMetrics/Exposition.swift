import HTTPPool

/// Renders readings in the Prometheus text format 0.0.4.
public enum Exposition {
    /// The value of the `Content-Type` header.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Renders every family with its samples, grouped by family.
    ///
    /// - Parameters:
    ///   - readings: the pools, with unique names.
    ///   - process: the reading of the process; `nil` omits the process families.
    public static func text(_ readings: [PoolReading], process: ProcessReading?) -> [UInt8] {
        let counts = PoolCensus.counts
        return text(
            Scrape(pools: readings, process: process, poolsCreated: counts.created, poolsAlive: counts.alive)
        )
    }

    static func text(_ scrape: Scrape) -> [UInt8] {
        let writer = SampleWriter(scrape)
        var bytes: [UInt8] = []
        // Enough for most pools, so that the buffer is not reallocated while it grows.
        bytes.reserveCapacity(scrape.pools.reduce(32768) { $0 + 32768 + $1.origins.count * 4096 })
        for family in Family.all {
            let start = bytes.count
            bytes.append(piece: family.header)
            let end = bytes.count
            writer.write(family, to: &bytes)
            // A family without samples is omitted, including its header.
            if bytes.count == end { bytes.removeLast(end - start) }
        }
        return bytes
    }
}
