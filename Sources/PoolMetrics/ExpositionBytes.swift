/// Names, labels and numbers in the syntax of both formats, as bytes.
extension [UInt8] {
    /// Appends a text unchanged.
    mutating func append(text: String) { append(contentsOf: text.utf8) }

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
        append(escaped: value)
        append(UInt8(ascii: "\""))
    }

    private mutating func append(escaped text: String) {
        var text = text
        text.withUTF8 { bytes in
            // Almost no text has one of them, and a copy of the whole is quicker. Not left at the first one, so that the
            // compiler compares many bytes at once.
            let isPlain = bytes.reduce(true) {
                $0 && $1 != UInt8(ascii: "\\") && $1 != UInt8(ascii: "\n") && $1 != UInt8(ascii: "\"")
            }
            if isPlain { append(contentsOf: bytes) } else { for byte in bytes { append(escaped: byte) } }
        }
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
}
