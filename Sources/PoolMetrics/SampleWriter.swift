import HTTPPool

/// Writes the sample lines of families.
///
/// A line consists of the name, the labels of the pool, origin or call site, an ending (the labels that distinguish the
/// samples of one subject) and a value. Labels are shared by all families of a subject, endings by all subjects.
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
    func write(_ family: borrowing Family, as format: Exposition.Format, to room: inout ExpositionRoom) {
        let start = room.count
        room.append(family.header(as: format))
        let end = room.count
        write(family, exemplars: format.isOpenMetrics, to: &room)
        if room.count == end { room.shorten(to: start) }
    }

    /// Writes all samples of one family, for all pools.
    private func write(_ family: borrowing Family, exemplars: Bool, to room: inout ExpositionRoom) {
        let name = family.writtenName
        switch family.samples {
        case .process(let value):
            guard let value = value(scrape) else { return }
            room.append(name)
            room.append(UInt8(ascii: " "))
            room.append(value: value)
            room.append(UInt8(ascii: "\n"))
        case .endpoint(let samples):
            guard let endpoint = scrape.endpoint else { return }
            for sample in samples {
                guard let value = sample.value(endpoint) else { continue }
                room.append(name)
                room.append(Self.openingBrace)
                room.append(Array(sample.labels.dropFirst()))
                room.append(Self.brace)
                room.append(value: value)
                room.append(UInt8(ascii: "\n"))
            }
        case .pool(let samples):
            for index in pools.indices where scrape.pools[index].facts.isSuperset(of: family.needs) {
                Self.write(samples, of: scrape.pools[index], name, pools[index].pool, to: &room)
            }
        case .origin(let samples):
            for index in pools.indices where scrape.pools[index].facts.isSuperset(of: family.needs) {
                Self.write(samples, of: scrape.pools[index].origins, name, pools[index].origins, to: &room)
            }
        case .site(let samples):
            for index in pools.indices where scrape.pools[index].facts.isSuperset(of: family.needs) {
                Self.write(samples, of: scrape.pools[index].sites, name, pools[index].sites, to: &room)
            }
        case .histogram(let samples):
            for index in pools.indices where scrape.pools[index].facts.isSuperset(of: family.needs) {
                for sample in samples {
                    guard let histogram = sample.value(scrape.pools[index]) else { continue }
                    let labels = pools[index].pool + sample.labels
                    Self.write(histogram, as: name, labels, exemplars: exemplars, to: &room)
                }
            }
        case .info(let labels):
            for labels in labels(scrape) {
                room.append(name)
                room.append(Family.rendered(labels, after: Self.openingBrace))
                room.append(Self.brace)
                room.append(value: 1)
                room.append(UInt8(ascii: "\n"))
            }
        }
    }

    /// Writes all samples of one family, for all subjects of one kind in a pool.
    private static func write<Subject>(
        _ samples: borrowing [Family.Sample<Subject, Double>],
        of subjects: borrowing [Subject],
        _ name: LastingBytes,
        _ labels: borrowing [[UInt8]],
        to room: inout ExpositionRoom
    ) {
        for index in subjects.indices { write(samples, of: subjects[index], name, labels[index], to: &room) }
    }

    private static func write<Subject>(
        _ samples: borrowing [Family.Sample<Subject, Double>],
        of subject: borrowing Subject,
        _ name: LastingBytes,
        _ labels: borrowing [UInt8],
        to room: inout ExpositionRoom
    ) {
        var beginning = LineBeginning()
        for index in samples.indices {
            guard let value = samples[index].value(subject) else { continue }
            beginning.write(name, nil, labels, to: &room)
            room.append(samples[index].ending)
            room.append(value: value)
            room.append(UInt8(ascii: "\n"))
        }
    }

    private static func write(
        _ histogram: Histogram,
        as name: LastingBytes,
        _ labels: [UInt8],
        exemplars: Bool,
        to room: inout ExpositionRoom
    ) {
        let hasExemplars = exemplars && !histogram.exemplars.isEmpty
        var beginning = LineBeginning()
        var below: UInt64 = 0
        for index in histogram.buckets.indices {
            below &+= histogram.buckets[index]
            beginning.write(name, bucket, labels, to: &room)
            room.append(histogram.bounds.endings[index])
            room.append(value: Double(below))
            if hasExemplars { histogram.exemplars[index]?.write(to: &room) }
            room.append(UInt8(ascii: "\n"))
        }
        for (suffix, value) in [(sum, histogram.sum), (count, Double(below))] {
            room.append(name)
            room.append(suffix)
            room.append(labels)
            room.append(brace)
            room.append(value: value)
            room.append(UInt8(ascii: "\n"))
        }
    }

    private static let bucket = LastingBytes("_bucket")
    private static let sum = LastingBytes("_sum")
    private static let count = LastingBytes("_count")
    private static let brace = LastingBytes("} ")
    private static let openingBrace = UInt8(ascii: "{")
}

/// What the lines of one subject in a family have in common. Copying it from the line before is quicker than writing its
/// parts.
private struct LineBeginning {
    private var written = 0..<0

    mutating func write(
        _ name: LastingBytes,
        _ suffix: LastingBytes?,
        _ labels: borrowing [UInt8],
        to room: inout ExpositionRoom
    ) {
        guard written.isEmpty else { return room.repeat(written) }
        let start = room.count
        room.append(name)
        if let suffix { room.append(suffix) }
        room.append(labels)
        written = start..<room.count
    }
}
