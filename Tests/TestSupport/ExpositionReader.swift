/// Reads the Prometheus text format 0.0.4 or OpenMetrics 1.0.0 strictly, and refuses what Prometheus itself would let pass:
/// a series that is written twice, a family in two places, a family without HELP or TYPE, buckets that are not cumulative.
///
///     let page = try ExpositionReader(bytes)
///     page.value("http_client_pool_requests", ["origin": "http://a:80", "state": "queued"])  // Double?
///     page.sum("http_client_pool_acquires_total", ["pool": "default"])
///     page.types["http_client_pools"]  // "gauge"
///
/// It needs nothing but the standard library.
package struct ExpositionReader: Sendable {
    package enum Format: Sendable, CaseIterable {
        case text
        /// With a UNIT wherever the name ends with one.
        case openMetrics
    }

    package struct Sample: Sendable {
        /// The name of its family, which differs between the formats.
        package fileprivate(set) var family = ""
        /// The name and the labels: the same for the same series.
        package fileprivate(set) var series = ""
        package let name: String
        package let labels: [String: String]
        package let value: Double
        package let exemplar: Exemplar?
        package let line: Int
    }

    /// What follows a value of OpenMetrics: labels, a value and a time.
    package struct Exemplar: Sendable, Hashable {
        package let labels: [String: String]
        package let value: Double
        /// Seconds since 1970.
        package let time: Double
    }

    package struct Failure: Error, CustomStringConvertible {
        package let line: Int
        package let reason: String
        package var description: String { "line \(line): \(reason)" }
    }

    /// In the order of the text.
    package private(set) var samples: [Sample] = []
    /// The type of each family.
    package private(set) var types: [String: String] = [:]
    /// The help of each family, unescaped.
    package private(set) var helps: [String: String] = [:]
    /// The unit of each family that has one; only OpenMetrics writes it.
    package private(set) var units: [String: String] = [:]
    private let format: Format

    package init(_ bytes: [UInt8], as format: Format = .text) throws {
        self.format = format
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Failure(line: 0, reason: "not UTF-8") }
        guard text.unicodeScalars.last ?? "\n" == "\n" else {
            throw Failure(line: 0, reason: "the last line has no end")
        }
        var family = ""
        var series: Set<String> = []
        var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        if format == .openMetrics {
            guard let last = lines.popLast(), String(last) == "# EOF" else {
                throw Failure(line: 0, reason: "the text does not end with # EOF")
            }
        }
        for (index, scalars) in lines.enumerated() {
            let number = index + 1
            let line = String(scalars)
            if line.hasPrefix("# HELP ") {
                family = try readHelp(line, number)
            } else if line.hasPrefix("# TYPE ") {
                try readType(line, number, family)
            } else if line.hasPrefix("# UNIT "), format == .openMetrics {
                try readUnit(line, number, family)
            } else {
                var sample = try Self.readSample(line, number, as: format)
                guard types[family] != nil, belongs(sample.name, to: family) else {
                    throw Failure(line: number, reason: "\(sample.name) stands outside its family")
                }
                if sample.exemplar != nil, !(types[family] == "histogram" && sample.name == family + "_bucket") {
                    throw Failure(line: number, reason: "an exemplar of something else than a bucket: \(line)")
                }
                let labels = sample.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
                sample.series = "\(sample.name) \(labels)"
                guard series.insert(sample.series).inserted else {
                    throw Failure(line: number, reason: "the series is written twice: \(line)")
                }
                sample.family = family
                samples.append(sample)
            }
        }
        if format == .openMetrics { try checkUnits() }
        try checkValues()
        try checkHistograms()
    }

    /// The samples of a name that have at least these labels.
    package func all(_ name: String, _ labels: [String: String] = [:]) -> [Sample] {
        samples.filter { sample in sample.name == name && labels.allSatisfy { sample.labels[$0.key] == $0.value } }
    }

    /// The one sample of a name that has at least these labels; `nil` where there is none, or more than one.
    package func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        let found = all(name, labels)
        return found.count == 1 ? found.first?.value : nil
    }

    /// All samples of a name that have at least these labels, added up.
    package func sum(_ name: String, _ labels: [String: String] = [:]) -> Double {
        all(name, labels).reduce(0) { $0 + $1.value }
    }
}

extension ExpositionReader {
    private mutating func readHelp(_ line: String, _ number: Int) throws -> String {
        let parts = line.dropFirst(7).split(separator: " ", maxSplits: 1)
        guard parts.count == 2, Self.isName(parts[0]) else { throw Failure(line: number, reason: "a bad HELP line") }
        let family = String(parts[0])
        guard helps[family] == nil else { throw Failure(line: number, reason: "\(family) is in two places") }
        // Only OpenMetrics escapes quotes here, and there each of them.
        let isRefused = format == .openMetrics && Self.hasBareQuote(parts[1])
        var escapes: [Unicode.Scalar: Unicode.Scalar] = ["\\": "\\", "n": "\n"]
        if format == .openMetrics { escapes["\""] = "\"" }
        guard !isRefused, let help = Self.unescaped(parts[1], escapes: escapes) else {
            throw Failure(line: number, reason: "a bad escape in HELP")
        }
        helps[family] = help
        return family
    }

    private mutating func readType(_ line: String, _ number: Int, _ family: String) throws {
        let parts = line.dropFirst(7).split(separator: " ")
        guard parts.count == 2, parts[0] == family, types[family] == nil,
            ["gauge", "counter", "histogram"].contains(parts[1])
        else { throw Failure(line: number, reason: "a bad TYPE line") }
        types[family] = String(parts[1])
    }

    private mutating func readUnit(_ line: String, _ number: Int, _ family: String) throws {
        let parts = line.dropFirst(7).split(separator: " ")
        guard parts.count == 2, parts[0] == family, family.hasSuffix("_\(parts[1])"), samples.last?.family != family,
            units.updateValue(String(parts[1]), forKey: family) == nil
        else { throw Failure(line: number, reason: "a bad UNIT line") }
    }

    private func checkUnits() throws {
        for family in types.keys where ["_seconds", "_bytes", "_ratio"].contains(where: family.hasSuffix) {
            guard units[family] != nil else { throw Failure(line: 0, reason: "\(family) has no UNIT") }
        }
        for family in types.keys where types[family] == "counter" && family.hasSuffix("_total") {
            throw Failure(line: 0, reason: "\(family) is the name of a sample")
        }
    }

    private static func hasBareQuote(_ text: Substring) -> Bool {
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if scalar == "\"", !isEscaped { return true }
            isEscaped = scalar == "\\" && !isEscaped
        }
        return false
    }

    private func belongs(_ name: String, to family: String) -> Bool {
        if types[family] == "histogram" { return ["_bucket", "_sum", "_count"].contains { name == family + $0 } }
        if types[family] == "counter", format == .openMetrics { return name == family + "_total" }
        return name == family
    }

    private static func readSample(_ line: String, _ number: Int, as format: Format) throws -> Sample {
        func fail(_ reason: String) -> Failure { Failure(line: number, reason: "\(reason): \(line)") }
        var rest = line.unicodeScalars[...]
        let name = String(rest.prefix { $0 != "{" && $0 != " " })
        guard isName(name) else { throw fail("a bad name") }
        rest = rest.dropFirst(name.unicodeScalars.count)
        let labels = try readLabels(&rest, fail)
        let words = String(rest).split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 2 || words.count == 6 && format == .openMetrics, words[0] == "",
            let value = Self.number(String(words[1]))
        else { throw fail("a bad value") }
        let exemplar = words.count == 6 ? try readExemplar(words[2...], fail) : nil
        return Sample(name: name, labels: labels, value: value, exemplar: exemplar, line: number)
    }

    /// `# {trace_id="…"} value time`, of which no label has a space.
    private static func readExemplar(_ words: ArraySlice<Substring>, _ fail: (String) -> Failure) throws -> Exemplar {
        let words = words.map(String.init)
        var rest = words[1].unicodeScalars[...]
        guard words[0] == "#", rest.first == "{" else { throw fail("a bad exemplar") }
        let labels = try readLabels(&rest, fail)
        guard rest.isEmpty, labels.reduce(0, { $0 + $1.key.count + $1.value.count }) <= 128,
            let value = number(words[2]), value.isFinite, let time = number(words[3]), time.isFinite
        else { throw fail("a bad exemplar") }
        return Exemplar(labels: labels, value: value, time: time)
    }

    private static func readLabels(
        _ rest: inout Substring.UnicodeScalarView,
        _ fail: (String) -> Failure
    ) throws -> [String: String] {
        var labels: [String: String] = [:]
        if rest.first == "{" {
            repeat {
                rest = rest.dropFirst()
                let label = String(rest.prefix { $0 != "=" })
                rest = rest.dropFirst(label.unicodeScalars.count)
                guard isName(label), !label.contains(":"), rest.starts(with: "=\"".unicodeScalars) else {
                    throw fail("a bad label")
                }
                rest = rest.dropFirst(2)
                var isEscaped = false
                let raw = rest.prefix { scalar in
                    defer { isEscaped = scalar == "\\" && !isEscaped }
                    return scalar != "\"" || isEscaped
                }
                rest = rest.dropFirst(raw.count + 1)
                guard let value = unescaped(String(raw), escapes: ["\\": "\\", "n": "\n", "\"": "\""]) else {
                    throw fail("a bad escape")
                }
                guard labels.updateValue(value, forKey: label) == nil else { throw fail("a label twice") }
            } while rest.first == ","
            guard rest.first == "}" else { throw fail("the labels do not end") }
            rest = rest.dropFirst()
        }
        return labels
    }

    /// Only the spellings that the format knows.
    private static func number(_ text: String) -> Double? {
        switch text {
        case "NaN": .nan
        case "+Inf": .infinity
        case "-Inf": -.infinity
        default: text.allSatisfy { "0123456789.e+-".contains($0) } ? Double(text) : nil
        }
    }

    private static func isName(_ text: some StringProtocol) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") }
    }

    private static func unescaped(
        _ text: some StringProtocol,
        escapes: [Unicode.Scalar: Unicode.Scalar]
    ) -> String? {
        var result = String.UnicodeScalarView()
        var scalars = text.unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            guard scalar == "\\" else {
                result.append(scalar)
                continue
            }
            guard let escaped = scalars.next(), let meant = escapes[escaped] else { return nil }
            result.append(meant)
        }
        return String(result)
    }

    private func checkValues() throws {
        for sample in samples where types[sample.family] == "counter" && !(sample.value >= 0 && sample.value.isFinite) {
            throw Failure(line: sample.line, reason: "\(sample.name) is a counter of \(sample.value)")
        }
    }

    private func checkHistograms() throws {
        for family in types.keys where types[family] == "histogram" {
            var buckets: [[String: String]: [(bound: Double, count: Double)]] = [:]
            for bucket in all(family + "_bucket") {
                var labels = bucket.labels
                guard let bound = labels.removeValue(forKey: "le").flatMap(Self.number) else {
                    throw Failure(line: bucket.line, reason: "a bucket without a bound")
                }
                let last = buckets[labels]?.last
                guard bound > last?.bound ?? -.infinity, bucket.value >= last?.count ?? 0 else {
                    throw Failure(line: bucket.line, reason: "a bucket that does not rise")
                }
                if let value = bucket.exemplar?.value, !(value > last?.bound ?? -.infinity && value <= bound) {
                    throw Failure(line: bucket.line, reason: "an exemplar of \(value) outside of its bucket")
                }
                buckets[labels, default: []].append((bound, bucket.value))
            }
            let counts = all(family + "_count")
            for count in counts {
                guard let last = buckets[count.labels]?.last, last.bound == .infinity, last.count == count.value,
                    let sum = all(family + "_sum").first(where: { $0.labels == count.labels }), sum.value >= 0
                else { throw Failure(line: count.line, reason: "+Inf, _count and _sum do not agree") }
            }
            guard counts.count == buckets.count, counts.count == all(family + "_sum").count else {
                throw Failure(line: 0, reason: "\(family) lacks a _count or a _sum")
            }
        }
    }
}
