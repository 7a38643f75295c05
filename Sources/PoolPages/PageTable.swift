/// A table of a page: what it says, whether it becomes text or HTML.
struct PageTable {
    struct Column {
        let heading: String
        /// The width in text; a space precedes it.
        let width: Int
        /// Whether it has words, which are aligned to the left in HTML.
        var hasWords = false

        init(_ heading: String, _ width: Int, hasWords: Bool = false) {
            self.heading = heading
            self.width = width
            self.hasWords = hasWords
        }
    }

    struct Cell: ExpressibleByStringInterpolation {
        let text: String
        /// Whether the number is one that is wrong.
        var isTrouble = false
        /// A chart beside it, where there is room.
        var bar: ConnectionUse?

        init(_ text: String, isTrouble: Bool = false, bar: ConnectionUse? = nil) {
            self.text = text
            self.isTrouble = isTrouble
            self.bar = bar
        }

        init(stringLiteral text: String) { self.init(text) }
    }

    struct Row {
        let name: PageName
        let cells: [Cell]
        /// Lines about the row.
        var notes: [PageName] = []
        /// Whether it belongs to the group before it.
        var isInGroup = false
    }

    enum Line {
        /// What the rows after it belong to.
        case group(PageName)
        case row(Row)
        /// The last line: the sum of the others.
        case sum(Row)
    }

    /// What the names are.
    let heading: String
    /// The width of the names in text.
    let width: Int
    let columns: [Column]
    private(set) var lines: [Line] = []

    init(_ heading: String, width: Int, _ columns: [Column]) {
        self.heading = heading
        self.width = width
        self.columns = columns
    }

    mutating func add(group name: PageName) { lines.append(.group(name)) }

    mutating func add(_ name: PageName, _ cells: [Cell], notes: [PageName] = [], isInGroup: Bool = false) {
        lines.append(.row(Row(name: name, cells: cells, notes: notes, isInGroup: isInGroup)))
    }

    mutating func add(sum name: String, _ cells: [Cell]) {
        lines.append(.sum(Row(name: .words(name), cells: cells)))
    }

    func write(to page: inout TextPage) {
        var text = TextTable(heading, width: width, columns.map { ($0.heading, $0.width) })
        for line in lines {
            switch line {
            case .group(let name): text.add(heading: name.text)
            case .row(let row), .sum(let row):
                text.add((row.isInGroup ? "  " : "") + row.name.text, row.cells.map(\.text))
                for note in row.notes { text.add(note: note.text) }
            }
        }
        text.write(to: &page)
    }
}

/// A name on a page, with what it names.
enum PageName: Hashable {
    case words(String)
    case pool(String)
    case origin(String)
    case site(String)
    /// The name of a setting.
    case setting(String)

    var text: String {
        switch self {
        case .words(let text), .pool(let text), .origin(let text), .site(let text), .setting(let text): text
        }
    }
}

/// How many connections are used, of how many.
struct ConnectionUse: Hashable {
    let active: Int
    let connecting: Int
    let idle: Int
    let limit: Int
}
