import HTTPPool

/// Renders readings for Prometheus.
///
/// All formats carry the same families, samples and values. A response needs ``Format/contentType`` as its
/// `Content-Type`: Prometheus 3 refuses a scrape without it.
public enum Exposition {
    /// Renders families with their samples, grouped by family.
    ///
    /// - Parameters:
    ///   - readings: the pools, with unique names.
    ///   - process: the reading of the process; `nil` omits the process families.
    ///   - format: the format.
    ///   - names: the families to render, by their own names or by those of their samples; `nil` renders all of them.
    ///     Unknown names select nothing.
    /// - Returns: the text, in UTF-8; without a sample, it is empty or `# EOF`, which is valid.
    public static func render(
        _ readings: [PoolReading],
        process: ProcessReading?,
        as format: Format,
        only names: Set<String>? = nil
    ) -> [UInt8] {
        render(readings, process: process, endpoint: nil, as: format, only: names)
    }

    /// Renders families with their samples, and what the endpoint that serves them reports about itself.
    package static func render(
        _ readings: [PoolReading],
        process: ProcessReading?,
        endpoint: EndpointReading?,
        as format: Format,
        only names: Set<String>?
    ) -> [UInt8] {
        let counts = PoolCensus.counts
        let scrape = Scrape(
            pools: readings,
            process: process,
            poolsCreated: counts.created,
            poolsAlive: counts.alive,
            endpoint: endpoint
        )
        return render(scrape, as: format, only: names)
    }

    /// Renders every family in the text format 0.0.4.
    ///
    /// - Parameters:
    ///   - readings: the pools, with unique names.
    ///   - process: the reading of the process; `nil` omits the process families.
    public static func text(_ readings: [PoolReading], process: ProcessReading?) -> [UInt8] {
        render(readings, process: process, as: .text)
    }

    static func render(_ scrape: Scrape, as format: Format, only names: Set<String>? = nil) -> [UInt8] {
        let writer = SampleWriter(scrape)
        guard let names else {
            return ExpositionRoom.written(capacity: ExpositionSize.estimate(scrape)) { room in
                for index in Family.all.indices { writer.write(Family.all[index], as: format, to: &room) }
                if format.isOpenMetrics { room.append(end) }
            }
        }
        // Not in the order of the names: a family may be selected by several of them.
        let selected = Set(names.compactMap { Family.indices[$0] }).sorted()
        return ExpositionRoom.written(capacity: 16384) { room in
            for index in selected { writer.write(Family.all[index], as: format, to: &room) }
            if format.isOpenMetrics { room.append(end) }
        }
    }

    /// The last line in OpenMetrics.
    private static let end = Array("# EOF\n".utf8)
}

extension Family {
    /// The position of each family in ``all``, by its names in both formats and by those of its samples.
    fileprivate static let indices: [String: Int] = {
        // A name may belong to two families: to one of them in OpenMetrics only. Then the other has it.
        var indices: [String: Int] = [:]
        for (index, family) in all.enumerated() { indices[family.name] = index }
        for (index, family) in all.enumerated() {
            let suffixes = family.kind == .histogram ? ["_bucket", "_sum", "_count"] : []
            let others = suffixes.map { family.name + $0 } + [FamilyHeader.openMetricsName(family.name, family.kind)]
            for name in others where indices[name] == nil { indices[name] = index }
        }
        return indices
    }()
}
