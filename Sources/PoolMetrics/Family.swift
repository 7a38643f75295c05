import HTTPPool

/// A metric family: its name, its meaning, and how its samples are found in a reading.
///
/// The samples carry no format: the same families serve every rendering.
struct Family: Sendable {
    /// The kinds of families; the raw value is the word of the `TYPE` line.
    enum Kind: String, Sendable {
        case gauge
        case counter
        case histogram
    }

    /// Whose samples they are: this decides which labels come first.
    enum Samples: Sendable {
        /// Of the process, without a label of its own.
        case process(@Sendable (Scrape) -> Double?)
        /// Of each pool: `pool`.
        case pool([Sample<PoolReading, Double>])
        /// Of each origin of each pool: `pool`, `origin`.
        case origin([Sample<OriginReading, Double>])
        /// Of each call site of each pool: `pool`, `site`.
        case site([Sample<SiteReading, Double>])
        /// Histograms of each pool: `pool`.
        case histogram([Sample<PoolReading, Histogram>])
        /// The labels say it all, and the value is 1.
        case info(@Sendable (Scrape) -> [[(name: String, value: String)]])
    }

    /// One series of each subject: the labels that come after those of the subject, and its value.
    struct Sample<Subject, Value>: Sendable {
        /// `,name="value"` of each.
        let labels: [UInt8]
        /// The value; `nil` where the subject has no such series.
        let value: @Sendable (Subject) -> Value?
    }

    let name: String
    let help: String
    let kind: Kind
    let samples: Samples
    /// What a pool must report to have samples of it.
    let needs: PoolFacts
    /// The lines `HELP` and `TYPE`, written once, not at every scrape.
    let header: [UInt8]

    init(_ name: String, _ kind: Kind, _ help: String, needs: PoolFacts = [], _ samples: Samples) {
        self.name = name
        self.needs = needs
        self.help = help
        self.kind = kind
        self.samples = samples
        var header: [UInt8] = []
        header.append(text: "# HELP \(name) ")
        header.append(help: help)
        header.append(text: "\n# TYPE \(name) \(kind.rawValue)\n")
        self.header = header
    }
}

/// What all families are read from.
struct Scrape: Sendable {
    let pools: [PoolReading]
    let process: ProcessReading?
    let poolsCreated: UInt64
    let poolsAlive: UInt64
}

extension Family {
    /// One series, without labels of its own.
    static func one<Subject, Value>(
        _ value: @escaping @Sendable (Subject) -> Value?
    ) -> [Sample<Subject, Value>] {
        [Sample(labels: [], value: value)]
    }

    /// A series for each value of a label that is named here.
    static func each<Subject, Value>(
        _ label: String,
        _ values: KeyValuePairs<String, @Sendable (Subject) -> Value?>
    ) -> [Sample<Subject, Value>] {
        values.map { Sample(labels: rendered([(label, $0.key)]), value: $0.value) }
    }

    /// A series for each case of an enum.
    static func each<Subject, Value, Key: CaseIterable & RawRepresentable<String> & Sendable>(
        _ label: String,
        _: Key.Type,
        _ value: @escaping @Sendable (Subject, Key) -> Value?
    ) -> [Sample<Subject, Value>] {
        Key.allCases.map { key in
            Sample(labels: rendered([(label, key.rawValue)])) { value($0, key) }
        }
    }

    /// `,name="value"` of each: as they stand behind the labels of the subject.
    static func rendered(_ labels: [(name: String, value: String)]) -> [UInt8] {
        labels.reduce(into: []) { bytes, label in
            bytes.append(UInt8(ascii: ","))
            bytes.append(label: label.name, value: label.value)
        }
    }
}
