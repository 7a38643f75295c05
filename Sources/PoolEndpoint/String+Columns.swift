extension String {
    /// The number of terminal columns that the text takes.
    ///
    /// Characters from U+1100 on count as two. Most wide characters are in that range; a narrow one only makes its
    /// line a little short.
    var columns: Int { reduce(0) { $0 + Self.columns(of: $1) } }

    /// Replaces characters that would move a terminal's cursor, and cuts out the middle of a text that is too long.
    func fitted(to limit: Int) -> String {
        let clean = String(map { $0.unicodeScalars.allSatisfy(\.isShown) ? $0 : "?" })
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
        character.unicodeScalars.contains { $0.value >= 0x1100 } ? 2 : 1
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

extension BinaryInteger {
    /// The number in at most six characters: `999999`, then `1.23M`, `12.3G`, `999P`. Digits are truncated, not
    /// rounded.
    var compact: String {
        guard self > 999_999 else { return String(self).fitted(to: 6) }
        var unit = 1
        var whole = UInt64(clamping: self) / 1000
        // Keeps three more digits than the unit, so that fractions can be shown.
        while whole >= 1_000_000 {
            whole /= 1000
            unit += 1
        }
        let name = ["k", "M", "G", "T", "P", "E"][unit]
        switch whole {
        case ..<10_000: return "\(whole / 1000).\(String(whole / 10 % 100 + 100).dropFirst())\(name)"
        case ..<100_000: return "\(whole / 1000).\(whole / 100 % 10)\(name)"
        default: return "\(whole / 1000)\(name)"
        }
    }
}
