extension String {
    /// The number of terminal columns that the text takes.
    ///
    /// Characters from U+1100 on count as two, except those of boxes, blocks and shapes. Most wide characters are in that
    /// range; a narrow one only makes its line a little short.
    var columns: Int { reduce(0) { $0 + Self.columns(of: $1) } }

    /// Cuts out the middle of a text that is too long, after making it ``printable``.
    func fitted(to limit: Int) -> String {
        let clean = printable
        guard clean.columns > limit else { return clean }
        let mark = "..."
        let tail = (limit - mark.count) / 2
        let end = String(clean.reversed()).cut(to: tail).reversed()
        return clean.cut(to: limit - mark.count - tail) + mark + end
    }

    /// The text, left-aligned in a column.
    func left(_ width: Int) -> String {
        let text = fitted(to: width)
        return text + String(repeating: " ", count: width - text.columns)
    }

    /// The text, right-aligned in a column.
    func right(_ width: Int) -> String {
        let text = fitted(to: width)
        return String(repeating: " ", count: width - text.columns) + text
    }

    /// The line without trailing spaces.
    var trimmed: String {
        guard let last = lastIndex(where: { $0 != " " }) else { return "" }
        return String(self[...last])
    }

    private func cut(to limit: Int) -> String {
        var used = 0
        return String(
            prefix { character in
                used += Self.columns(of: character)
                return used <= limit
            }
        )
    }

    private static func columns(of character: Character) -> Int {
        character.unicodeScalars.contains { $0.value >= 0x1100 && !(0x2500...0x25FF).contains($0.value) } ? 2 : 1
    }
}

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
    /// The text with a question mark for each character that would move a terminal's cursor or hide another one.
    var printable: String { String(map { $0.unicodeScalars.allSatisfy(\.isShown) ? $0 : "?" }) }
}
