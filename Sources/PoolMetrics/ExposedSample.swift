import HTTPPool

/// One sample of the metric families, independent of any format: what a line of the exposition says.
///
/// It is taken from the same declarations as the exposition, so other renderings cannot differ from it. A histogram gives
/// its count and its sum, and no buckets.
package struct ExposedSample: Sendable {
    /// What a series measures.
    package enum Kind: Sendable {
        /// A value that rises and falls.
        case gauge
        /// A whole number that does not fall.
        case counter
        /// A number that does not fall, such as seconds.
        case realCounter
    }

    /// The name, with the suffix `_count` or `_sum` if it comes from a histogram.
    package let name: String
    /// The labels in the order of the exposition, with their values as they are, not escaped.
    package let labels: [(name: String, value: String)]
    package let kind: Kind
    package let value: Double

    package init(name: String, labels: [(name: String, value: String)], kind: Kind, value: Double) {
        self.name = name
        self.labels = labels
        self.kind = kind
        self.value = value
    }
}

/// All samples of one moment, by subject.
package struct ExposedSamples: Sendable {
    /// Samples of the process, and those that belong to no single pool.
    package let process: [ExposedSample]
    /// The samples of each pool, in the order of the readings.
    package let pools: [[ExposedSample]]

    /// Takes the samples of all families.
    ///
    /// - Parameters:
    ///   - readings: the pools, with unique names.
    ///   - process: the reading of the process; `nil` omits the process families.
    package init(_ readings: [PoolReading], process: ProcessReading?) {
        let counts = PoolCensus.counts
        let scrape = Scrape(
            pools: readings,
            process: process,
            poolsCreated: counts.created,
            poolsAlive: counts.alive
        )
        var collected: [ExposedSample] = []
        for family in Family.all { collected += family.processSamples(of: scrape) }
        self.process = collected
        pools = readings.map { reading in
            Family.all.flatMap { family in
                reading.facts.isSuperset(of: family.needs) ? family.poolSamples(of: reading) : []
            }
        }
    }
}

extension Family {
    /// Samples without the label of a pool.
    fileprivate func processSamples(of scrape: Scrape) -> [ExposedSample] {
        switch samples {
        case .process(let value): value(scrape).map { [sample([], $0)] } ?? []
        case .info(let labels):
            // Several pools may give the same labels.
            labels(scrape).reduce(into: [ExposedSample]()) { samples, labels in
                let isKnown = samples.contains { $0.labels.elementsEqual(labels, by: ==) }
                if !isKnown { samples.append(sample(labels, 1)) }
            }
        case .pool, .origin, .site, .histogram, .endpoint: []
        }
    }

    /// Samples with the label of a pool.
    fileprivate func poolSamples(of reading: PoolReading) -> [ExposedSample] {
        let pool = [(name: "pool", value: reading.name)]
        switch samples {
        case .process, .info, .endpoint: return []
        case .pool(let samples): return samplesOf([(pool, reading)], samples)
        case .origin(let samples):
            return samplesOf(reading.origins.map { (pool + [("origin", $0.label)], $0) }, samples)
        case .site(let samples):
            return samplesOf(reading.sites.map { (pool + [("site", $0.label)], $0) }, samples)
        case .histogram(let samples):
            return samples.flatMap { sample -> [ExposedSample] in
                guard let histogram = sample.value(reading) else { return [] }
                let labels = pool + Self.labels(in: sample.labels)
                return [
                    ExposedSample(
                        name: name + "_count",
                        labels: labels,
                        kind: .counter,
                        value: Double(histogram.count)
                    ),
                    ExposedSample(name: name + "_sum", labels: labels, kind: .realCounter, value: histogram.sum),
                ]
            }
        }
    }

    private func samplesOf<Subject>(_ subjects: [(Labels, Subject)], _ samples: [Sample<Subject, Double>])
        -> [ExposedSample]
    {
        let endings = samples.map { Self.labels(in: $0.labels) }
        return subjects.flatMap { labels, subject in
            samples.indices.compactMap { index in
                samples[index].value(subject).map { sample(labels + endings[index], $0) }
            }
        }
    }

    private func sample(_ labels: Labels, _ value: Double) -> ExposedSample {
        let kind: ExposedSample.Kind =
            switch self.kind {
            case .gauge, .histogram: .gauge
            // By its name and not by its value, because a series keeps its kind.
            case .counter: name.hasSuffix("_seconds_total") ? .realCounter : .counter
            }
        return ExposedSample(name: name, labels: labels, kind: kind, value: value)
    }

    /// The labels that ``rendered(_:)`` wrote, with its escapes undone.
    static func labels(in rendered: [UInt8]) -> [(name: String, value: String)] {
        var labels: [(name: String, value: String)] = []
        var rest = rendered[...]
        while rest.first == UInt8(ascii: ",") {
            let name = rest.dropFirst().prefix { $0 != UInt8(ascii: "=") }
            // Beyond the comma, the name, the equals sign and the quote.
            rest = rest.dropFirst(name.count + 3)
            var value: [UInt8] = []
            while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
                guard byte == UInt8(ascii: "\\"), let escaped = rest.popFirst() else {
                    value.append(byte)
                    continue
                }
                value.append(escaped == UInt8(ascii: "n") ? UInt8(ascii: "\n") : escaped)
            }
            labels.append((String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
        }
        return labels
    }
}
