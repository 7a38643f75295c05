/// Reads the Prometheus text format 0.0.4 strictly, and refuses what Prometheus itself would let pass: a series that is
/// written twice, a family in two places, a family without HELP or TYPE, buckets that are not cumulative.
///
///     let page = try ExpositionReader(bytes)
///     page.value("http_client_pool_requests", ["origin": "http://a:80", "state": "queued"])  // Double?
///     page.sum("http_client_pool_acquires_total", ["pool": "default"])
///     page.types["http_client_pools"]  // "gauge"
///
/// It needs nothing but the standard library.
package struct ExpositionReader: Sendable {
    package struct Sample: Sendable {
        package let name: String
        package let labels: [String: String]
        package let value: Double
        package let line: Int
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

    package init(_ bytes: [UInt8]) throws {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Failure(line: 0, reason: "not UTF-8") }
        guard text.unicodeScalars.last == "\n" else { throw Failure(line: 0, reason: "the last line has no end") }
        var family = ""
        var series: Set<String> = []
        let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        for (index, scalars) in lines.enumerated() {
            let number = index + 1
            let line = String(scalars)
            if line.hasPrefix("# HELP ") {
                family = try readHelp(line, number)
            } else if line.hasPrefix("# TYPE ") {
                try readType(line, number, family)
            } else {
                let sample = try Self.readSample(line, number)
                guard types[family] != nil, belongs(sample.name, to: family) else {
                    throw Failure(line: number, reason: "\(sample.name) stands outside its family")
                }
                guard series.insert("\(sample.name) \(sample.labels.sorted { $0.key < $1.key })").inserted else {
                    throw Failure(line: number, reason: "the series is written twice: \(line)")
                }
                samples.append(sample)
            }
        }
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
        guard let help = Self.unescaped(parts[1], escapes: ["\\": "\\", "n": "\n"]) else {
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

    private func belongs(_ name: String, to family: String) -> Bool {
        if types[family] == "histogram" { return ["_bucket", "_sum", "_count"].contains { name == family + $0 } }
        return name == family
    }

    private static func readSample(_ line: String, _ number: Int) throws -> Sample {
        func fail(_ reason: String) -> Failure { Failure(line: number, reason: "\(reason): \(line)") }
        var rest = line.unicodeScalars[...]
        let name = String(rest.prefix { $0 != "{" && $0 != " " })
        guard isName(name) else { throw fail("a bad name") }
        rest = rest.dropFirst(name.unicodeScalars.count)
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
        guard rest.first == " ", let value = Self.number(String(rest.dropFirst())) else { throw fail("a bad value") }
        return Sample(name: name, labels: labels, value: value, line: number)
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
        for sample in samples where types[sample.name] == "counter" && !(sample.value >= 0 && sample.value.isFinite) {
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
