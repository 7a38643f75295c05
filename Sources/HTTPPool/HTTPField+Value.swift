package import HTTPTypes

extension HTTPField {
    /// What a value is to whoever sends it.
    package enum ValueKind: Sendable {
        /// It may be sent as it is.
        case text
        /// Nothing, or white space alone.
        case blank
        /// A control character is in it, which could end the line.
        case forbidden
    }

    /// What the value is to whoever sends it.
    package var valueKind: ValueKind {
        withUnsafeBytesOfValue { bytes in
            var kind = ValueKind.blank
            for byte in bytes where byte != 0x20 && byte != 0x09 {
                if byte < 0x20 || byte == 0x7f { return .forbidden }
                kind = .text
            }
            return kind
        }
    }
}
