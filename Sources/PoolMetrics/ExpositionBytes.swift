/// Names, labels and numbers in the syntax of both formats, as bytes.
extension [UInt8] {
    /// Appends a text unchanged.
    mutating func append(text: String) { append(contentsOf: text.utf8) }

    /// Appends a part of a line without retaining it; retaining costs as much as the copy.
    mutating func append(piece: borrowing [UInt8]) { piece.withUnsafeBufferPointer { append(contentsOf: $0) } }

    /// Appends the text of a `HELP` line, escaped.
    ///
    /// - Parameter quotes: whether to escape quotes too, as OpenMetrics asks; the text format has no such escape.
    mutating func append(help: String, escapingQuotes quotes: Bool) {
        for byte in help.utf8 {
            if byte != UInt8(ascii: "\"") || quotes { append(escaped: byte) } else { append(byte) }
        }
    }

    /// Appends `name="value"`, with the value escaped. The rules are those of both formats, and every other character may
    /// be written as it is, also a control character.
    mutating func append(label name: String, value: String) {
        append(text: name)
        append(text: "=\"")
        for byte in value.utf8 { append(escaped: byte) }
        append(UInt8(ascii: "\""))
    }

    /// No byte of a longer UTF-8 sequence equals one of those that are escaped.
    private mutating func append(escaped byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\\"): append(text: "\\\\")
        case UInt8(ascii: "\n"): append(text: "\\n")
        case UInt8(ascii: "\""): append(text: "\\\"")
        default: append(byte)
        }
    }

    /// Appends a value: digits for a whole number, otherwise the shortest form that round-trips.
    mutating func append(value: Double) {
        if let whole = Int64(exactly: value) {
            append(whole: whole)
        } else {
            append(canonicalFloat: value)
        }
    }

    /// Appends a number in the form used for the `le` label: `0.1`, `1.0`, `+Inf`.
    mutating func append(canonicalFloat value: Double) {
        // The standard library spells these differently from the text format.
        if value.isNaN {
            append(text: "NaN")
        } else if value.isInfinite {
            append(text: value < 0 ? "-Inf" : "+Inf")
        } else {
            append(text: value.description)
        }
    }

    private mutating func append(whole: Int64) {
        var rest = whole.magnitude
        if whole < 0 { append(UInt8(ascii: "-")) }
        guard rest > 9 else { return append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest)) }
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var first = digits.endIndex
        while rest > 0 {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            first -= 1
            digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
            rest = quotient
        }
        digits.span.extracting(first...).withUnsafeBufferPointer { append(contentsOf: $0) }
    }
}
