/// Charts of the last ten minutes: a character for ten seconds.
enum TopCharts {
    /// - Parameter uptime: the age of the process in seconds. Before it there was nothing to count.
    static func lines(_ pool: StatusPage.Pool, uptime: Double?, width: Int, isASCII: Bool) -> [TopLine] {
        guard width >= 40, let cells = pool.lastTenMinutes, !cells.isEmpty else { return [] }
        let room = min(cells.count, width - 20)
        let shown = cells.suffix(room)
        let known = uptime.map { $0 < Double(room) * 10 ? Int(max(0, $0) / 10) + 1 : room } ?? room
        func line(_ name: String, _ values: [Double?], top: Double, _ last: String) -> TopLine {
            let values = values.enumerated().map { $0.offset < values.count - known ? nil : $0.element }
            return TopLine(name.left(11) + sparkline(values, top: top, isASCII: isASCII) + " " + last.right(8))
        }
        let queued = shown.map { Double($0.queuedPeak) }
        let active = shown.map { $0.activePeak.map(Double.init) }
        let medians = shown.map(\.medianSeconds)
        let limit = pool.connections.limit
        let name =
            "last \(Figures.wholeSeconds(Double(shown.count * 10))) of pool \(pool.pool): a character for 10 s, then the value now"
        return [
            TopLine(name),
            line("queued", queued, top: max(10, queued.max() ?? 0), "\(pool.requests.queued)"),
            line(
                "active",
                active,
                top: limit.map(Double.init) ?? max(1, active.compactMap(\.self).max() ?? 0),
                pool.connections.active.map { "\($0)" + (limit.map { "/\($0)" } ?? "") } ?? "-"
            ),
            line(
                "responds",
                medians,
                top: medians.compactMap(\.self).max() ?? 0,
                Figures.duration(medians.compactMap(\.self).last)
            ),
        ]
    }

    /// Zero is the lowest character, and anything above it at least the second one; what is not known is a space.
    static func sparkline(_ values: [Double?], top: Double, isASCII: Bool) -> String {
        let bars = Array(isASCII ? "_.:-=+*#" : "▁▂▃▄▅▆▇█")
        return String(
            values.map { value in
                guard let value, value.isFinite else { return " " }
                guard value > 0, top > 0 else { return bars[0] }
                return bars[max(1, Int((min(1, value / top) * Double(bars.count - 1)).rounded()))]
            }
        )
    }
}
