import PoolMetrics

/// What was published of one subject, a pool or the process, and what follows from its next samples.
///
/// A value without a factory: it says what to do, and whoever owns it does it.
struct BridgedSeries {
    /// A series: its name and its labels.
    struct ID: Hashable {
        let name: String
        let labels: [String]

        init(_ sample: ExposedSample) {
            name = sample.name
            labels = sample.labels.flatMap { [$0.name, $0.value] }
        }

        /// The labels as swift-metrics takes them.
        var dimensions: [(String, String)] {
            stride(from: 0, to: labels.count, by: 2).map { (labels[$0], labels[$0 + 1]) }
        }
    }

    /// What is to be done at the factory.
    enum Change: Equatable {
        /// The series begins. It has no value yet; a counter stands at 0.
        case begin(ID, ExposedSample.Kind)
        /// A counter rises by a number greater than 0.
        case increase(ID, by: Double)
        /// A gauge has this value.
        case set(ID, to: Double)
        /// The series has ended.
        case end(ID)
    }

    private struct Published {
        var value: Double
        var round: UInt64
    }

    private var published: [ID: Published] = [:]
    private var round: UInt64 = 0

    /// The changes that lead from what was published to these samples.
    ///
    /// A series that is not among them any more ends. A counter that has fallen belongs to a row that was given up and
    /// returned: the old series ends, and another one begins at 0 and rises to the value. No increase is negative, and the
    /// increases of each series add up to its sample.
    mutating func changes(to samples: [ExposedSample]) -> [Change] {
        round += 1
        var changes: [Change] = []
        for sample in samples {
            let id = ID(sample)
            var old = published[id]?.value
            if let fallen = old, sample.kind != .gauge, sample.value < fallen {
                changes.append(.end(id))
                old = nil
            }
            if old == nil { changes.append(.begin(id, sample.kind)) }
            if sample.kind == .gauge {
                changes.append(.set(id, to: sample.value))
            } else if sample.value > old ?? 0 {
                changes.append(.increase(id, by: sample.value - (old ?? 0)))
            }
            published[id] = Published(value: sample.value, round: round)
        }
        for (id, last) in published where last.round != round {
            changes.append(.end(id))
            published[id] = nil
        }
        return changes
    }
}
