package import HTTPTypes

extension HTTPField {
    /// How a field value may be sent.
    package enum ValueKind: Sendable {
        /// It may be sent unchanged.
        case text
        /// Empty, or only white space.
        case blank
        /// It contains a control character, which could end the line.
        case forbidden
    }

    /// How the value may be sent.
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
