import HTTPPool

/// A metric family: name, help text, and how its samples are taken from a reading.
///
/// Samples are independent of the format, so all renderings share the families.
struct Family: Sendable {
    /// The type of a family; the raw value is used in the `TYPE` line.
    enum Kind: String, Sendable {
        case gauge
        case counter
        case histogram
    }

    /// The subject of the samples, which determines their leading labels.
    enum Samples: Sendable {
        /// The process; no labels.
        case process(@Sendable (Scrape) -> Double?)
        /// The endpoint that serves the exposition; no labels besides those of the samples.
        case endpoint([Sample<EndpointReading, Double>])
        /// Each pool: `pool`.
        case pool([Sample<PoolReading, Double>])
        /// Each origin of each pool: `pool`, `origin`.
        case origin([Sample<OriginReading, Double>])
        /// Each call site of each pool: `pool`, `site`.
        case site([Sample<SiteReading, Double>])
        /// Histograms of each pool: `pool`.
        case histogram([Sample<PoolReading, Histogram>])
        /// The information is in the labels; the value is 1.
        case info(@Sendable (Scrape) -> [[(name: String, value: String)]])
    }

    /// One series per subject: the labels that follow those of the subject, and the value.
    struct Sample<Subject, Value>: Sendable {
        /// The labels, each as `,name="value"`.
        let labels: [UInt8]
        /// The text from the labels to the value, rendered once instead of at every scrape.
        let ending: LastingBytes
        /// The value; `nil` if the subject has no such series.
        let value: @Sendable (Subject) -> Value?

        init(labels: [UInt8], value: @escaping @Sendable (Subject) -> Value?) {
            self.labels = labels
            self.ending = LastingBytes(labels + "} ".utf8)
            self.value = value
        }
    }

    let name: String
    let help: String
    let kind: Kind
    let samples: Samples
    /// The facts that a pool must report to have samples of this family.
    let needs: PoolFacts
    /// The name as it is written in samples.
    let writtenName: LastingBytes
    /// The lines that precede the samples in each format, rendered once instead of at every scrape.
    private let headers: (text: [UInt8], openMetrics: [UInt8])

    init(_ name: String, _ kind: Kind, _ help: String, needs: PoolFacts = [], _ samples: Samples) {
        self.name = name
        self.needs = needs
        self.help = help
        self.kind = kind
        self.samples = samples
        self.writtenName = LastingBytes(Array(name.utf8))
        self.headers = (
            FamilyHeader.text(name, kind, help),
            FamilyHeader.openMetrics(name, kind, help)
        )
    }

    /// The lines that precede the samples: `HELP`, `TYPE`, and `UNIT` where the format has it.
    func header(as format: Exposition.Format) -> [UInt8] {
        format.isOpenMetrics ? headers.openMetrics : headers.text
    }
}

/// The input of all families.
struct Scrape: Sendable {
    let pools: [PoolReading]
    let process: ProcessReading?
    let poolsCreated: UInt64
    let poolsAlive: UInt64
    /// The endpoint that serves the exposition; `nil` where none does.
    var endpoint: EndpointReading?
}

extension Family {
    /// One series without labels of its own.
    static func one<Subject, Value>(
        _ value: @escaping @Sendable (Subject) -> Value?
    ) -> [Sample<Subject, Value>] {
        [Sample(labels: [], value: value)]
    }

    /// One series per listed label value.
    static func each<Subject, Value>(
        _ label: String,
        _ values: KeyValuePairs<String, @Sendable (Subject) -> Value?>
    ) -> [Sample<Subject, Value>] {
        values.map { Sample(labels: rendered([(label, $0.key)]), value: $0.value) }
    }

    /// One series per case of an enum.
    static func each<Subject, Value, Key: CaseIterable & RawRepresentable<String> & Sendable>(
        _ label: String,
        _: Key.Type,
        _ value: @escaping @Sendable (Subject, Key) -> Value?
    ) -> [Sample<Subject, Value>] {
        Key.allCases.map { key in
            Sample(labels: rendered([(label, key.rawValue)])) { value($0, key) }
        }
    }

    /// The labels, each as `,name="value"`, to follow the labels of the subject.
    ///
    /// - Parameter first: what stands in place of the first comma.
    static func rendered(_ labels: [(name: String, value: String)], after first: UInt8 = UInt8(ascii: ",")) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(labels.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 })
        for label in labels {
            bytes.append(bytes.isEmpty ? first : UInt8(ascii: ","))
            bytes.append(label: label.name, value: label.value)
        }
        return bytes
    }
}
