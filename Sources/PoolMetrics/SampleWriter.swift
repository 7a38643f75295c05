/// Writes the sample lines of families, which are the same in every format.
///
/// The labels of a pool and of its origins and call sites are put together once, and a line is then made of pieces of
/// bytes and a number.
struct SampleWriter {
    private let scrape: Scrape
    private let pools: [PoolLabels]

    /// The beginning of the labels of each subject in one pool, from the brace to the last quote.
    private struct PoolLabels {
        let pool: [UInt8]
        let origins: [[UInt8]]
        let sites: [[UInt8]]

        init(_ reading: PoolReading) {
            var pool = [UInt8(ascii: "{")]
            pool.append(label: "pool", value: reading.name)
            self.pool = pool
            origins = reading.origins.map { pool + Family.rendered([("origin", $0.label)]) }
            sites = reading.sites.map { pool + Family.rendered([("site", $0.label)]) }
        }
    }

    init(_ scrape: Scrape) {
        self.scrape = scrape
        self.pools = scrape.pools.map(PoolLabels.init)
    }

    /// All samples of one family, over all pools.
    func write(_ family: Family, to bytes: inout [UInt8]) {
        let name = Array(family.name.utf8)
        switch family.samples {
        case .process(let value):
            guard let value = value(scrape) else { return }
            Self.line(name, [], [], value, to: &bytes)
        case .pool(let samples):
            for (labels, reading) in zip(pools, scrape.pools) {
                write(samples, of: reading, as: name, labels.pool, to: &bytes)
            }
        case .origin(let samples):
            for (labels, reading) in zip(pools, scrape.pools) {
                for (labels, origin) in zip(labels.origins, reading.origins) {
                    write(samples, of: origin, as: name, labels, to: &bytes)
                }
            }
        case .site(let samples):
            for (labels, reading) in zip(pools, scrape.pools) {
                for (labels, site) in zip(labels.sites, reading.sites) {
                    write(samples, of: site, as: name, labels, to: &bytes)
                }
            }
        case .histogram(let samples):
            for (labels, reading) in zip(pools, scrape.pools) {
                for sample in samples {
                    guard let histogram = sample.value(reading) else { continue }
                    write(histogram, as: name, labels.pool + sample.labels, to: &bytes)
                }
            }
        case .info(let labels):
            var written: Set<[UInt8]> = []
            for labels in labels(scrape).map(Family.rendered) where written.insert(labels).inserted {
                Self.line(name, [UInt8(ascii: "{")] + labels.dropFirst(), [], 1, to: &bytes)
            }
        }
    }

    private func write<Subject>(
        _ samples: [Family.Sample<Subject, Double>],
        of subject: Subject,
        as name: [UInt8],
        _ labels: [UInt8],
        to bytes: inout [UInt8]
    ) {
        for index in samples.indices {
            guard let value = samples[index].value(subject) else { continue }
            Self.line(name, labels, samples[index].labels, value, to: &bytes)
        }
    }

    private func write(_ histogram: Histogram, as name: [UInt8], _ labels: [UInt8], to bytes: inout [UInt8]) {
        let bucket = name + "_bucket".utf8
        var below: UInt64 = 0
        for (label, count) in zip(histogram.bounds.labels, histogram.buckets) {
            below &+= count
            Self.line(bucket, labels, label, Double(below), to: &bytes)
        }
        Self.line(name + "_sum".utf8, labels, [], histogram.sum, to: &bytes)
        Self.line(name + "_count".utf8, labels, [], Double(below), to: &bytes)
    }

    /// One line: the name, the labels of the subject from their brace on, the labels that come after them, the value.
    private static func line(
        _ name: [UInt8],
        _ labels: [UInt8],
        _ more: [UInt8],
        _ value: Double,
        to bytes: inout [UInt8]
    ) {
        bytes.append(contentsOf: name)
        if !labels.isEmpty {
            bytes.append(contentsOf: labels)
            bytes.append(contentsOf: more)
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: " "))
        bytes.append(value: value)
        bytes.append(UInt8(ascii: "\n"))
    }
}
