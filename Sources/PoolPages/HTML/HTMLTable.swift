/// Tables and names in HTML.
struct HTMLTable {
    let links: PageLinks

    /// A table. Its roles are written out: some browsers forget them where a narrow screen makes it a list.
    ///
    /// - Parameters:
    ///   - heading: what the names are, if the table's own heading is that of its section,
    ///   - label: the id of the section's heading.
    func markup(_ table: PageTable, heading: String? = nil, labelledBy label: String) -> Markup {
        let heads: [Markup] = table.columns.map { column in
            let attribute: Markup = column.hasWords ? " class=\"l\"" : ""
            return "<th role=\"columnheader\" scope=\"col\"\(attribute)>\(Self.heading(column))</th>"
        }
        let count = table.columns.count
        return """
            <table role="table" class="g\(count)" aria-labelledby="\(label)"><thead role="rowgroup"><tr role="row">\
            <th role="columnheader" scope="col">\((heading ?? table.heading).capitalizedFirst)</th>\(heads)</tr></thead>
            <tbody role="rowgroup">\(table.lines.map { line($0, table.columns) })</tbody></table>
            """
    }

    private func line(_ line: PageTable.Line, _ columns: [PageTable.Column]) -> Markup {
        switch line {
        case .group(let name):
            "<tr role=\"row\" class=\"group\"><th role=\"rowheader\" scope=\"rowgroup\" colspan=\"\(columns.count + 1)\">\(self.name(name))</th></tr>\n"
        case .row(let row): "<tr role=\"row\">\(cells(row, columns))</tr>\n"
        case .sum(let row): "<tr role=\"row\" class=\"sum\">\(cells(row, columns))</tr>\n"
        }
    }

    private func cells(_ row: PageTable.Row, _ columns: [PageTable.Column]) -> Markup {
        let notes: [Markup] = row.notes.map { "<small>\(self.name($0))</small>" }
        let name =
            if case .words(let text) = row.name { self.name(.words(text.capitalizedFirst)) } else {
                self.name(row.name)
            }
        var result: Markup = "<th role=\"rowheader\" scope=\"row\">\(name)\(notes)</th>"
        for (index, column) in columns.enumerated() {
            let cell = index < row.cells.count ? row.cells[index] : PageTable.Cell("")
            var classes: [String] = []
            if column.hasWords { classes.append("l") }
            if cell.isTrouble { classes.append("hot") } else if Self.nothing.contains(cell.text) { classes.append("z") }
            let attribute: Markup = classes.isEmpty ? "" : " class=\"\(classes.joined(separator: " "))\""
            let number: Markup = cell.bar == nil ? "\(sentence: cell.text)" : "<span class=\"n\">\(cell.text)</span>"
            result +=
                "<td role=\"cell\"\(attribute)>\(cell.bar.map { bar($0, isTrouble: cell.isTrouble) })\(number)</td>"
        }
        return result
    }

    /// The longest heading may be broken on a narrow screen.
    private static func heading(_ column: PageTable.Column) -> Markup {
        column.heading == "connecting" ? "Connect&#173;ing" : "\(column.heading.capitalizedFirst)"
    }

    /// What needs no look.
    private static let nothing: Set<String> = ["0", "0.0", "-"]

    private func bar(_ use: ConnectionUse, isTrouble: Bool) -> Markup {
        let parts = UseParts(use, width: 96)
        return """
            <svg class="mini" aria-hidden="true"><rect class="o" x=".5" y=".5" width="95" height="7"/>\
            <rect class="\(isTrouble ? "f" : "a")" width="\(parts.active)" height="8"/>\
            <rect class="c" x="\(parts.active)" width="\(parts.connecting)" height="8"/>\
            <rect class="i" x="\(parts.active + parts.connecting)" width="\(parts.idle)" height="8"/></svg>
            """
    }

    /// A name, whole. Of an origin, the scheme and the port are quiet.
    func name(_ name: PageName) -> Markup {
        switch name {
        case .words(let text): "\(sentence: text)"
        case .site(let text): "<bdi>\(text)</bdi>"
        case .pool(let text): "<a href=\"\(links.pool(text))\"><bdi>\(text)</bdi></a>"
        case .setting(let text): "<code>\(text)</code>"
        case .origin(let text): "<bdi class=\"mono\">\(Self.parts(text))</bdi>"
        }
    }

    private static func parts(_ origin: String) -> Markup {
        let begin = origin.firstRange(of: "://")?.upperBound ?? origin.startIndex
        var end = origin.endIndex
        if begin > origin.startIndex, let colon = origin.lastIndex(of: ":"), colon > begin,
            origin[origin.index(after: colon)...].allSatisfy(\.isNumber)
        {
            end = colon
        }
        return
            "<span class=\"q\">\(origin[..<begin])</span>\(origin[begin..<end])<span class=\"q\">\(origin[end...])</span>"
    }
}

/// The widths of the parts of a bar of connections. What is there is at least visible.
struct UseParts {
    let active: Int
    let connecting: Int
    let idle: Int

    init(_ use: ConnectionUse, width: Int) {
        var left = width
        func part(_ count: Int) -> Int {
            guard count > 0 else { return 0 }
            let share = Double(count) / Double(max(1, use.limit))
            let part = min(left, max(2, Int((min(1, share) * Double(width)).rounded())))
            left -= part
            return part
        }
        active = part(use.active)
        connecting = part(use.connecting)
        idle = part(use.idle)
    }
}
