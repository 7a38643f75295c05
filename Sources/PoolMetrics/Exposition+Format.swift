extension Exposition {
    /// A format that Prometheus reads.
    @nonexhaustive
    public enum Format: Sendable, Hashable, CaseIterable {
        /// The Prometheus text format 0.0.4.
        case text
        /// OpenMetrics 1.0.0.
        case openMetrics
        /// OpenMetrics 0.0.1, which older scrapers ask for. Only the content type differs from 1.0.0.
        case openMetricsDraft

        /// The format that a request asks for.
        ///
        /// It follows Prometheus' client library for Go: OpenMetrics is chosen only where the header names
        /// `application/openmetrics-text` with the version 1.0.0, 0.0.1 or none (meaning 0.0.1), and no acceptable
        /// entry for text has a greater weight. Everything else is ``text``, also if the header refuses it. The
        /// parameters `charset` and `escaping` have no effect: all names are ASCII.
        ///
        /// - Parameter accept: the value of the `Accept` header, several joined by commas; empty without the header. Only
        ///   its first 64 entries count.
        public init(accept: String) {
            var best = (format: Format.text, weight: 0.0, isNamed: false)
            for entry in WeightedValue.list(accept) where entry.weight > 0 {
                guard let (format, isNamed) = Self.match(entry) else { continue }
                let isBetter = entry.weight == best.weight ? isNamed && !best.isNamed : entry.weight > best.weight
                if isBetter { best = (format, entry.weight, isNamed) }
            }
            self = best.format
        }

        /// The value of the `Content-Type` header.
        public var contentType: String {
            switch self {
            case .text: "text/plain; version=0.0.4; charset=utf-8"
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            case .openMetricsDraft: "application/openmetrics-text; version=0.0.1; charset=utf-8"
            }
        }

        var isOpenMetrics: Bool { self != .text }

        /// The format that an entry accepts, and whether it names that format rather than a range.
        private static func match(_ entry: WeightedValue) -> (format: Format, isNamed: Bool)? {
            switch (entry.value, entry.parameters["version"]) {
            case ("application/openmetrics-text", "1.0.0"): (.openMetrics, true)
            case ("application/openmetrics-text", nil), ("application/openmetrics-text", "0.0.1"):
                (.openMetricsDraft, true)
            case ("text/plain", nil), ("text/plain", "0.0.4"): (.text, true)
            case ("text/*", _), ("*/*", _), ("*", _): (.text, false)
            default: nil
            }
        }
    }
}
