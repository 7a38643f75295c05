extension Unicode.Scalar {
    /// Whether the character is printable: neither a control character nor one that reverses or hides its
    /// neighbours.
    fileprivate var isShown: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
        default: true
        }
    }
}

extension StringProtocol {
    /// The text with a question mark for each character that would move a terminal's cursor or hide another one. What an
    /// endpoint sends may contain any.
    var printable: String { String(map { $0.unicodeScalars.allSatisfy(\.isShown) ? $0 : "?" }) }
}
