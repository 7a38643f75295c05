/// A line of the screen.
struct TopLine: Sendable, Hashable {
    enum Style: Sendable, Hashable {
        case plain, heading, selected, ok, warning, critical
    }

    let text: String
    let style: Style

    init(_ text: String, _ style: Style = .plain) {
        self.text = text
        self.style = style
    }
}

/// The size of a terminal.
struct TerminalSize: Sendable, Hashable {
    let columns: Int
    let rows: Int
}

/// Draws the state as lines, which never take more columns or rows than there are.
struct TopScreen {
    let state: TopState
    let size: TerminalSize
    /// The time on the clock of ``TopState``.
    let now: Double
    /// Whether charts are drawn with characters of ASCII.
    var isASCII = false

    /// The whole screen: as many lines as the terminal has rows.
    func lines() -> [TopLine] {
        guard size.rows > 0, size.columns > 0 else { return [] }
        var lines = head()
        let footers = size.rows > 4 ? 1 : 0
        let room = size.rows - footers - lines.count
        lines += tableLines(rows: max(0, room))
        lines = Array(lines.prefix(size.rows - footers))
        while lines.count < size.rows - footers { lines.append(TopLine("")) }
        if footers > 0 { lines.append(footer) }
        return lines.map { TopLine($0.text.fitted(to: size.columns), $0.style) }
    }

    /// Everything once, for a file or a pipe: all rows of the table, and no keys.
    func plainLines() -> [String] {
        let rows = state.table?.rows.count ?? 0
        let all = head() + tableLines(rows: rows + 3, isPlain: true)
        return all.map { $0.text.fitted(to: size.columns).withoutTrailingSpaces }
    }

    /// The rows of the table that are on the screen: what a key pages by.
    var page: Int { max(1, size.rows - head().count - 4) }

    // MARK: Above the table

    private func head() -> [TopLine] {
        var lines = [title]
        guard let picture = state.picture else { return lines }
        let isRoomy = size.rows >= 20
        lines += verdict(picture.status)
        if isRoomy { lines.append(TopLine("")) }
        lines += pools(picture.status.livePools)
        if isRoomy {
            if let pool = chartPool(picture.status) {
                lines += TopCharts.lines(
                    pool,
                    uptime: picture.status.process?.uptimeSeconds,
                    width: size.columns,
                    isASCII: isASCII
                )
            }
            lines.append(TopLine(""))
        }
        return lines
    }

    private var title: TopLine {
        let process = state.picture?.status.process
        let host = process?.host ?? ""
        let isLate = state.failure != nil
        var left = ["poolscope top", state.name]
        if isLate {
            left = ["no response for \(Figures.wholeSeconds(now - state.lastResponse))", state.name]
        } else if state.picture == nil {
            left.append("waiting for the first response")
        }
        if !host.isEmpty {
            let pid = size.columns >= 100 ? process?.pid.map { "  pid \($0)" } ?? "" : ""
            let up = size.columns >= 100 ? process?.uptimeSeconds.map { "  up \(Figures.duration($0))" } ?? "" : ""
            left.append("\(host)\(pid)\(up)")
        }
        if let failure = state.failure, state.picture == nil || size.columns >= 100 { left.append(failure) }
        let time = state.picture?.status.at.map { TopTime.clock($0) + " UTC" }
        let pace =
            state.isPaused
            ? "PAUSED"
            : "every \(state.interval < 1 ? Figures.duration(state.interval) : Figures.wholeSeconds(state.interval))"
        let right = ([time].compactMap(\.self) + [pace]).joined(separator: "  ")
        let room = size.columns - right.columns - 2
        guard room >= 20 else { return TopLine(left.joined(separator: "  "), isLate ? .critical : .heading) }
        let text = left.joined(separator: "  ")
        // The end of the line is less than its beginning.
        let begin = text.columns > room ? text.printable.cut(to: room) : text
        return TopLine(begin.left(room) + "  " + right, isLate ? .critical : .heading)
    }

    private func verdict(_ status: StatusPage) -> [TopLine] {
        guard let first = status.verdicts.first(where: { $0.severity == status.severity }) ?? status.verdicts.first
        else { return [] }
        let style: TopLine.Style =
            switch first.severity {
            case "ok": .ok
            case "warning": .warning
            default: .critical
            }
        var more: [String] = []
        let others = status.verdicts.count - 1
        let suffix = others > 0 ? "  (and \(others) more)" : ""
        let headline = first.headline.wrapped(to: size.columns)
        more += headline.dropFirst()
        if let origin = first.origin { more.append("  \(origin)") }
        more += (first.summary ?? "").wrapped(to: max(10, size.columns - 2)).map { "  \($0)" }
        // Behind the first of these lines that has room.
        var lines = [TopLine(headline.first ?? "", style)]
        if lines[0].text.columns + suffix.columns <= size.columns {
            lines = [TopLine(lines[0].text + suffix, style)]
        } else if let second = more.first, second.columns + suffix.columns <= size.columns {
            more[0] = second + suffix
        }
        // At least three lines, however large the terminal is, so that the table begins at the same place.
        let least = size.rows >= 14 ? 2 : min(1, size.rows - 8)
        guard least > 0 else { return lines }
        more = Array(more.prefix(least)) + Array(repeating: "", count: max(0, least - more.count))
        guard size.rows >= 34 else { return lines + more.map { TopLine($0) } }
        let evidence = (first.rows ?? []).flatMap { row in
            row.text.wrapped(to: max(10, size.columns - 14)).enumerated().map {
                "  " + ($0.offset == 0 ? row.label : "").left(10) + "  " + $0.element
            }
        }
        return lines + (more + evidence.prefix(size.rows / 4)).map { TopLine($0) }
    }

    private func pools(_ pools: [StatusPage.Pool]) -> [TopLine] {
        guard !pools.isEmpty else { return [TopLine("no pool is measured in this process")] }
        let most = max(1, size.rows / 8)
        var lines = pools.prefix(pools.count > most ? max(1, most - 1) : most).map { pool in
            let levels = pool.connections
            let queued = pool.requests.queued
            var parts = [
                "pool \(pool.pool)", "\(Figures.count(levels.active)) active", "\(Figures.count(levels.idle)) idle",
                "\(Figures.count(levels.connecting)) connecting",
                levels.limit.map { "of \($0)" } ?? "no limit",
                "\(queued) queued" + (queued > 0 ? ", oldest \(Figures.duration(pool.oldestQueuedSeconds))" : ""),
            ]
            if let ratio = pool.reuseRatio { parts.append("reuse \(Figures.ratio(ratio))") }
            // The first to go is what one misses least.
            for word in [" connecting", "reuse ", " idle", "of ", " active"]
            where parts.joined(separator: "  ").columns > size.columns {
                parts.removeAll { $0.hasPrefix(word) || $0.hasSuffix(word) }
            }
            return TopLine(parts.joined(separator: "  "))
        }
        if pools.count > most, most > 1 { lines.append(TopLine("and \(pools.count - lines.count) more pools")) }
        return lines
    }

    /// The pool of the verdict, or the one with the most requests.
    private func chartPool(_ status: StatusPage) -> StatusPage.Pool? {
        let name = status.verdicts.first?.pool
        let busiest = status.livePools.max {
            $0.requests.inFlight + $0.requests.queued < $1.requests.inFlight + $1.requests.queued
        }
        return status.livePools.first { $0.pool == name } ?? busiest
    }

    // MARK: The table

    private func tableLines(rows: Int, isPlain: Bool = false) -> [TopLine] {
        guard rows > 0 else { return [] }
        guard state.picture != nil else { return [] }
        var lines: [TopLine] = []
        if rows > 3 || isPlain { lines.append(tabs(isPlain: isPlain)) }
        guard let table = state.table else { return lines + [TopLine("waiting for the response")] }
        let layout = table.layout(width: size.columns)
        lines.append(TopLine(heading(table, layout), .heading))
        let hasPosition = !isPlain && rows > 5
        let room = max(0, isPlain ? table.rows.count : rows - lines.count - (hasPosition ? 1 : 0))
        // The selected row is always on the screen.
        let first = max(0, min(state.selected - room / 2, table.rows.count - room))
        for (index, row) in table.rows.enumerated().dropFirst(first).prefix(room) {
            let isSelected = index == state.selected && !isPlain
            let cells = layout.map { cell in
                table.columns[cell.index].isLeft
                    ? row[cell.index].text.left(cell.width) : row[cell.index].text.right(cell.width)
            }
            let text = (isSelected ? "> " : "  ") + cells.joined(separator: "  ")
            lines.append(TopLine(text.left(size.columns), isSelected ? .selected : .plain))
        }
        if table.rows.isEmpty, room > 0 { lines.append(TopLine("  " + Self.nothing(state))) }
        if hasPosition, table.rows.indices.contains(state.selected) {
            // With the whole name, which the column may have cut.
            let name = zip(table.columns, table.rows[state.selected]).first { $0.0.width == 0 }?.1.text ?? ""
            lines.append(TopLine("row \(state.selected + 1) of \(table.rows.count)  \(name)"))
        }
        return lines
    }

    private static func nothing(_ state: TopState) -> String {
        guard state.filter.isEmpty else { return "no row contains the filter" }
        return switch state.view {
        case .upstreams: "no upstream"
        case .sites: "no call site"
        case .leases: "no request holds a connection"
        case .queue: "no request is queued"
        case .events: "no event"
        }
    }

    private func tabs(isPlain: Bool) -> TopLine {
        guard !isPlain else { return TopLine(state.view.title, .heading) }
        let tabs = TopView.allCases.map {
            $0 == state.view ? "[\($0.title)]" : size.columns >= 50 ? " \($0.title) " : " \($0.rawValue + 1) "
        }
        let filter = state.filter.isEmpty || state.isTyping ? "" : "  filter: \(state.filter)"
        return TopLine(tabs.joined(separator: " ") + filter, .heading)
    }

    private func heading(_ table: TopTable, _ layout: [(index: Int, width: Int)]) -> String {
        let cells = layout.map { cell in
            let column = table.columns[cell.index]
            // The arrow is part of the title, because a reader may not see bold.
            let mark = state.order.column == cell.index ? (state.order.isReversed ? "<" : ">") : ""
            let title = column.title.fitted(to: cell.width - mark.columns) + mark
            return column.isLeft ? title.left(cell.width) : title.right(cell.width)
        }
        return ("  " + cells.joined(separator: "  ")).withoutTrailingSpaces
    }

    private var footer: TopLine {
        if state.isTyping { return TopLine("/" + state.filter + "_   Enter keeps the filter, Esc clears it") }
        let keys = ["q quit", "Tab or 1-5 view", "s sort", "r reverse", "/ filter", "p pause", "arrows row"]
        var shown = keys
        while shown.count > 1, shown.joined(separator: "   ").columns > size.columns { shown.removeLast() }
        return TopLine(shown.joined(separator: "   "))
    }
}
