/// A table: what its columns are called, and a cell for each.
struct TopTable: Sendable {
    struct Column: Sendable, Hashable {
        let title: String
        /// The width; 0 for the one column that takes the room that is left.
        let width: Int
        let isLeft: Bool
        /// Which columns go first when there is no room: those with the highest number. 0 stays.
        let drop: Int

        init(_ title: String, _ width: Int, isLeft: Bool = false, drop: Int = 0) {
            self.title = title
            self.width = width
            self.isLeft = isLeft
            self.drop = drop
        }
    }

    struct Cell: Sendable, Hashable {
        let text: String
        /// What the cell is sorted by; `nil` sorts by the text, and after all numbers.
        let value: Double?

        init(_ text: String) {
            self.text = text
            value = nil
        }

        init(_ count: Int?) {
            text = Figures.count(count)
            value = count.map(Double.init)
        }

        /// - Parameter value: what it is sorted by; `nil` where it is not known, which is before zero.
        init(_ text: String, by value: Double?) {
            self.text = text
            self.value = value ?? -1
        }
    }

    let columns: [Column]
    var rows: [[Cell]]

    /// The rows that contain the filter in any cell.
    func filtered(by filter: String) -> TopTable {
        guard !filter.isEmpty else { return self }
        let wanted = filter.lowercased()
        return TopTable(columns: columns, rows: rows.filter { $0.contains { $0.text.lowercased().contains(wanted) } })
    }

    /// The rows in order of a column: numbers from the greatest, texts from A.
    func sorted(by column: Int?, isReversed: Bool) -> TopTable {
        var table = self
        if let column, columns.indices.contains(column) {
            // Rows that are equal keep their order, so that nothing jumps from picture to picture.
            table.rows = rows.enumerated().sorted { one, other in
                let (a, b) = (one.element[column], other.element[column])
                if let x = a.value, let y = b.value { return x == y ? one.offset < other.offset : x > y }
                return a.text == b.text ? one.offset < other.offset : a.text < b.text
            }.map(\.element)
        }
        if isReversed { table.rows.reverse() }
        return table
    }

    /// The columns that fit, and the width of each. Columns go until the names fit, or have three sevenths of the width.
    func layout(width: Int) -> [(index: Int, width: Int)] {
        var shown = Array(columns.indices)
        func left() -> Int {
            width - 2 - shown.reduce(0) { $0 + (columns[$1].width == 0 ? 0 : columns[$1].width + 2) }
        }
        let flexible = columns.firstIndex { $0.width == 0 }
        let longest = flexible.flatMap { index in rows.map { $0[index].text.columns }.max() } ?? 0
        let wanted = min(longest, max(24, width * 3 / 7))
        while left() < wanted,
            let last = shown.filter({ columns[$0].drop > 0 }).max(by: { columns[$0].drop < columns[$1].drop })
        {
            shown.removeAll { $0 == last }
        }
        let rest = max(1, left())
        return shown.map { ($0, columns[$0].width == 0 ? rest : columns[$0].width) }
    }
}
