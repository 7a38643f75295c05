/// A plain-text page for terminals of 80 columns: no color codes, no trailing spaces, one newline at the end.
struct TextPage {
    static let width = 80
    private var lines: [String] = []

    var text: String { lines.map { $0.trimmed + "\n" }.joined() }

    mutating func add(_ line: String = "") { lines.append(line) }

    /// Adds a text, wrapped. Words that are too long get a line of their own and are not cut.
    ///
    /// - Parameters:
    ///   - first: what the first line begins with,
    ///   - rest: and the others.
    mutating func add(wrapping text: String, first: String = "", rest: String = "") {
        var line = first
        var isEmpty = true
        for word in text.split(separator: " ").map({ $0.printable }) {
            if !isEmpty, line.columns + 1 + word.columns > Self.width {
                lines.append(line)
                line = rest
                isEmpty = true
            }
            if !isEmpty { line += " " }
            line += word
            isEmpty = false
        }
        lines.append(line)
    }

    /// Adds a label and its text, as `  cause     The upstream is slow.`
    mutating func add(label: String, _ text: String) {
        let padded = "  " + label.left(max(9, label.columns)) + " "
        add(wrapping: text, first: padded, rest: String(repeating: " ", count: 12))
    }
}

/// A table whose rows have a name and right-aligned cells. A name is never cut: one that is too long has a line of its own.
struct TextTable {
    let nameWidth: Int
    private let widths: [Int]
    private var lines: [String] = []

    /// - Parameters:
    ///   - name: the heading of the names.
    ///   - columns: the headings of the cells, with their widths; a space precedes each.
    init(_ name: String, width: Int, _ columns: [(heading: String, width: Int)]) {
        nameWidth = width
        widths = columns.map(\.width)
        lines.append(name.left(width) + zip(columns.map(\.heading), widths).map { " " + $0.right($1) }.joined())
    }

    mutating func add(_ name: String, _ cells: [String]) {
        let name = name.printable
        let numbers = zip(cells, widths).map { " " + $0.right($1) }.joined()
        if name.columns <= nameWidth {
            lines.append(name + String(repeating: " ", count: nameWidth - name.columns) + numbers)
        } else {
            lines.append(name)
            lines.append(String(repeating: " ", count: nameWidth) + numbers)
        }
    }

    /// A line about the row before it.
    mutating func add(note: String) { lines.append("    " + note.printable) }

    /// A line that names what the rows after it belong to.
    mutating func add(heading: String) { lines.append(heading.printable) }

    func write(to page: inout TextPage) { for line in lines { page.add(line) } }
}
