/// The lines that precede the samples of a family.
enum FamilyHeader {
    /// `HELP` and `TYPE`, as the text format 0.0.4 has them.
    static func text(_ name: String, _ kind: Family.Kind, _ help: String) -> [UInt8] {
        var header: [UInt8] = []
        header.append(text: "# HELP \(name) ")
        header.append(help: help, escapingQuotes: false)
        header.append(text: "\n# TYPE \(name) \(kind.rawValue)\n")
        return header
    }

    /// `HELP`, `TYPE` and `UNIT`, as OpenMetrics has them.
    static func openMetrics(_ name: String, _ kind: Family.Kind, _ help: String) -> [UInt8] {
        let family = openMetricsName(name, kind)
        var header: [UInt8] = []
        header.append(text: "# HELP \(family) ")
        header.append(help: help, escapingQuotes: true)
        header.append(text: "\n# TYPE \(family) \(kind.rawValue)\n")
        if let unit = unit(family) { header.append(text: "# UNIT \(family) \(unit)\n") }
        return header
    }

    /// The name of a family in OpenMetrics: only the samples of a counter have the suffix `_total`.
    static func openMetricsName(_ name: String, _ kind: Family.Kind) -> String {
        kind == .counter && name.hasSuffix("_total") ? String(name.dropLast("_total".count)) : name
    }

    /// The unit, which OpenMetrics requires to be the last word of the name.
    private static func unit(_ family: String) -> String? {
        ["seconds", "bytes", "ratio"].first { family.hasSuffix("_" + $0) }
    }
}
