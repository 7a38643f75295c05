extension String {
    /// The number of terminal columns that the text takes.
    ///
    /// Characters from U+1100 on count as two, except those of boxes, blocks and shapes. Most wide characters are in that
    /// range; a narrow one only makes its line a little short.
    var columns: Int { reduce(0) { $0 + Self.columns(of: $1) } }

    /// Cuts a text that is too long out of its middle, after making it ``printable``. More is left of the beginning, which
    /// tells names of hosts apart.
    func fitted(to limit: Int) -> String {
        let clean = printable
        guard clean.columns > limit else { return clean }
        guard limit > 8 else { return clean.cut(to: max(0, limit)) }
        let tail = min(8, limit / 4)
        let end = String(clean.reversed()).cut(to: tail).reversed()
        return clean.cut(to: limit - 3 - tail) + "..." + end
    }

    /// The text, left-aligned in a column.
    func left(_ width: Int) -> String {
        let text = fitted(to: width)
        return text + String(repeating: " ", count: max(0, width - text.columns))
    }

    /// The text, right-aligned in a column.
    func right(_ width: Int) -> String {
        let text = fitted(to: width)
        return String(repeating: " ", count: max(0, width - text.columns)) + text
    }

    /// The beginning of the text, as far as it fits.
    func cut(to limit: Int) -> String {
        var used = 0
        return String(
            prefix { character in
                used += Self.columns(of: character)
                return used <= limit
            }
        )
    }

    /// The text in lines of at most `limit` columns, broken between words where that is possible.
    func wrapped(to limit: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in printable.split(separator: " ") {
            if !line.isEmpty, line.columns + 1 + String(word).columns > limit {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return (line.isEmpty ? lines : lines + [line]).map { $0.fitted(to: limit) }
    }

    /// The text without trailing spaces.
    var withoutTrailingSpaces: String { String(reversed().drop { $0 == " " }.reversed()) }

    private static func columns(of character: Character) -> Int {
        character.unicodeScalars.contains { $0.value >= 0x1100 && !(0x2500...0x25FF).contains($0.value) } ? 2 : 1
    }
}
