/// HTML that is also well-formed XML. What is interpolated is escaped unless it is markup itself.
struct Markup: ExpressibleByStringInterpolation, Sendable, Hashable {
    private(set) var text: String

    init(stringLiteral text: String) { self.text = text }

    init(stringInterpolation parts: StringInterpolation) { text = parts.text }

    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity * 2) }

        mutating func appendLiteral(_ literal: String) { text += literal }
        mutating func appendInterpolation(_ value: some StringProtocol) { text += Markup.escaped(value.printable) }
        mutating func appendInterpolation(_ value: some BinaryInteger) { text += String(value) }
        mutating func appendInterpolation(_ value: Markup?) { text += value?.text ?? "" }
        mutating func appendInterpolation(_ values: [Markup]) { for value in values { text += value.text } }

        /// A sentence, in which a number and its unit stay on one line.
        /// A name that is written from right to left does not turn around what follows it.
        mutating func appendInterpolation(sentence: String) {
            text += Markup.isolated(Markup.escaped(Markup.bound(sentence).printable))
        }
    }

    static func + (a: Markup, b: Markup) -> Markup { "\(a)\(b)" }
    static func += (a: inout Markup, b: Markup) { a.text += b.text }

    private static func escaped(_ value: String) -> String {
        var result = ""
        result.reserveCapacity(value.utf8.count)
        for scalar in value.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&#34;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// The text with a mark of left-to-right after each run of letters of scripts that go from right to left.
    private static func isolated(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isRightToLeft) else { return text }
        var result = ""
        var isInRun = false
        for scalar in text.unicodeScalars {
            if isInRun, !isRightToLeft(scalar) { result += "&#8206;" }
            isInRun = isRightToLeft(scalar)
            result.unicodeScalars.append(scalar)
        }
        return result + (isInRun ? "&#8206;" : "")
    }

    private static func isRightToLeft(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x590...0x8FF, 0xFB1D...0xFDFF, 0xFE70...0xFEFF, 0x10800...0x10FFF, 0x1E800...0x1EFFF: true
        default: false
        }
    }

    private static let units: Set<String> = ["ms", "s", "min", "h", "d", "%", "UTC"]

    private static func bound(_ sentence: String) -> String {
        var result = ""
        for (index, word) in sentence.split(separator: " ", omittingEmptySubsequences: false).enumerated() {
            let unit = String(word.prefix { !".,;:)".contains($0) })
            let isUnit = units.contains(unit) && result.last?.isNumber ?? false
            if index > 0 { result += isUnit ? "\u{A0}" : " " }
            result += word
        }
        return result
    }
}
