import HTTPPool

/// Writes the sample lines of families.
///
/// A line consists of a beginning (the name, and the labels of the pool, origin or call site), an ending (the
/// labels that distinguish the samples of one subject) and a value. Beginnings are shared by all samples of a
/// subject, endings by all subjects.
struct SampleWriter {
    private let scrape: Scrape
    private let pools: [PoolLabels]

    /// The leading labels of each subject in one pool, from the brace to the last quote.
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

    /// Writes one family with its header. A family without samples is omitted.
    func write(_ family: Family, as format: Exposition.Format, to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(piece: family.header(as: format))
        let end = bytes.count
        write(family, to: &bytes)
        if bytes.count == end { bytes.removeLast(end - start) }
    }

    /// Writes all samples of one family, for all pools.
    private func write(_ family: Family, to bytes: inout [UInt8]) {
        let name = family.nameBytes
        switch family.samples {
        case .process(let value):
            guard let value = value(scrape) else { return }
            Self.line(name, [UInt8(ascii: " ")], value, to: &bytes)
        case .pool(let samples):
            for (labels, reading) in zip(pools, scrape.pools) where reading.facts.isSuperset(of: family.needs) {
                Self.write(samples, of: reading, beginning: name + labels.pool, to: &bytes)
            }
        case .origin(let samples): write(samples, of: \.origins, labelled: \.origins, family, name, to: &bytes)
        case .site(let samples): write(samples, of: \.sites, labelled: \.sites, family, name, to: &bytes)
        case .histogram(let samples):
            for (labels, reading) in zip(pools, scrape.pools) where reading.facts.isSuperset(of: family.needs) {
                for sample in samples {
                    guard let histogram = sample.value(reading) else { continue }
                    Self.write(histogram, as: name, labels.pool + sample.labels, to: &bytes)
                }
            }
        case .info(let labels):
            var written: Set<[UInt8]> = []
            for labels in labels(scrape).map(Family.rendered) where written.insert(labels).inserted {
                Self.line(name + [UInt8(ascii: "{")], Array(labels.dropFirst()) + "} ".utf8, 1, to: &bytes)
            }
        }
    }

    /// Writes all samples of one family, for all subjects of one kind.
    private func write<Subject>(
        _ samples: [Family.Sample<Subject, Double>],
        of subjects: KeyPath<PoolReading, [Subject]>,
        labelled labels: KeyPath<PoolLabels, [[UInt8]]>,
        _ family: Family,
        _ name: [UInt8],
        to bytes: inout [UInt8]
    ) {
        for (pool, reading) in zip(pools, scrape.pools) where reading.facts.isSuperset(of: family.needs) {
            for (labels, subject) in zip(pool[keyPath: labels], reading[keyPath: subjects]) {
                Self.write(samples, of: subject, beginning: name + labels, to: &bytes)
            }
        }
    }

    private static func write<Subject>(
        _ samples: [Family.Sample<Subject, Double>],
        of subject: borrowing Subject,
        beginning: [UInt8],
        to bytes: inout [UInt8]
    ) {
        for index in samples.indices {
            guard let value = samples[index].value(subject) else { continue }
            line(beginning, samples[index].ending, value, to: &bytes)
        }
    }

    private static func write(_ histogram: Histogram, as name: [UInt8], _ labels: [UInt8], to bytes: inout [UInt8]) {
        let bucket = name + "_bucket".utf8 + labels
        var below: UInt64 = 0
        for index in histogram.buckets.indices {
            below &+= histogram.buckets[index]
            line(bucket, histogram.bounds.endings[index], Double(below), to: &bytes)
        }
        let ending = Array("} ".utf8)
        line(name + "_sum".utf8 + labels, ending, histogram.sum, to: &bytes)
        line(name + "_count".utf8 + labels, ending, Double(below), to: &bytes)
    }

    private static func line(
        _ beginning: borrowing [UInt8],
        _ ending: borrowing [UInt8],
        _ value: Double,
        to bytes: inout [UInt8]
    ) {
        bytes.append(piece: beginning)
        bytes.append(piece: ending)
        bytes.append(value: value)
        bytes.append(UInt8(ascii: "\n"))
    }
}
