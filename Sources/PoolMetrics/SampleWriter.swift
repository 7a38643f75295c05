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
        let name = family.nameBytes
        switch family.samples {
        case .process(let value):
            guard let value = value(scrape) else { return }
            Self.line(name, Self.none, Self.space, value, to: &room)
        case .endpoint(let samples):
            guard let endpoint = scrape.endpoint else { return }
            for sample in samples {
                guard let value = sample.value(endpoint) else { continue }
                Self.line(name, [UInt8(ascii: "{")], Array(sample.ending.dropFirst()), value, to: &room)
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
            var written: Set<[UInt8]> = []
            for labels in labels(scrape).map(Family.rendered) where written.insert(labels).inserted {
                Self.line(name, [UInt8(ascii: "{")], Array(labels.dropFirst()) + Self.brace, 1, to: &room)
            }
        }
    }

    /// Writes all samples of one family, for all subjects of one kind in a pool.
    private static func write<Subject>(
        _ samples: borrowing [Family.Sample<Subject, Double>],
        of subjects: borrowing [Subject],
        _ name: borrowing [UInt8],
        _ labels: borrowing [[UInt8]],
        to room: inout ExpositionRoom
    ) {
        for index in subjects.indices { write(samples, of: subjects[index], name, labels[index], to: &room) }
    }

    private static func write<Subject>(
        _ samples: borrowing [Family.Sample<Subject, Double>],
        of subject: borrowing Subject,
        _ name: borrowing [UInt8],
        _ labels: borrowing [UInt8],
        to room: inout ExpositionRoom
    ) {
        for index in samples.indices {
            guard let value = samples[index].value(subject) else { continue }
            line(name, labels, samples[index].ending, value, to: &room)
        }
    }

    private static func write(
        _ histogram: Histogram,
        as name: [UInt8],
        _ labels: [UInt8],
        exemplars: Bool,
        to room: inout ExpositionRoom
    ) {
        let hasExemplars = exemplars && !histogram.exemplars.isEmpty
        let bucket = name + "_bucket".utf8
        var below: UInt64 = 0
        for index in histogram.buckets.indices {
            below &+= histogram.buckets[index]
            let exemplar = hasExemplars ? histogram.exemplars[index] : nil
            line(bucket, labels, histogram.bounds.endings[index], Double(below), exemplar, to: &room)
        }
        line(name + "_sum".utf8, labels, brace, histogram.sum, to: &room)
        line(name + "_count".utf8, labels, brace, Double(below), to: &room)
    }

    private static let brace = Array("} ".utf8)
    private static let space = Array(" ".utf8)
    private static let none: [UInt8] = []

    private static func line(
        _ name: borrowing [UInt8],
        _ labels: borrowing [UInt8],
        _ ending: borrowing [UInt8],
        _ value: Double,
        _ exemplar: Exemplar? = nil,
        to room: inout ExpositionRoom
    ) {
        room.append(name)
        room.append(labels)
        room.append(ending)
        room.append(value: value)
        exemplar?.write(to: &room)
        room.append(UInt8(ascii: "\n"))
    }
}
